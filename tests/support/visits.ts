/** A stream that tests of flows read. */
import { int64, stream, text, timestamp } from "../../sdk/index.ts";

export const Visits = stream("visits", { page: text(), ms: int64(), at: timestamp() });
