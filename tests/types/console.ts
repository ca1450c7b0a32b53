/** What the console takes the app's answers for is what the app makes: the page imports nothing of it, so the compiler is asked here. */

import type * as Page from "../../console/model.ts";
import { OUTCOMES as PAGE_OUTCOMES } from "../../console/model.ts";
import type { CoordinatorFigures, PartitionFigures } from "../../protocol/observe/figures.ts";
import type { OUTCOMES, RecentTransaction } from "../../protocol/observe/observer.ts";
import type { DeadLetterPage, FlowDeadLetter } from "../../sdk/client/dead-letters.ts";
import type { ShownApp } from "../../worker/admin/overview.ts";

declare const partition: PartitionFigures;
partition satisfies Page.Partition;
declare const coordinator: CoordinatorFigures;
coordinator satisfies Page.Coordinator;
declare const app: ShownApp;
app satisfies Page.Overview["app"];
declare const transaction: RecentTransaction;
({ ...transaction, partition: 1 }) satisfies Page.Transaction;
declare const letters: DeadLetterPage;
letters satisfies Page.LetterPage;
declare const letter: FlowDeadLetter;
letter satisfies Page.FlowLetter;
PAGE_OUTCOMES satisfies typeof OUTCOMES;
