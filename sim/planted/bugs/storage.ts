/** Mistakes with what is stored: records, folds, results. */
import type { PlantedBug } from "../planted.ts";

const FOLDER = "protocol/partition/folder.ts";
const WORK = "protocol/partition/epoch-work.ts";
const ADMISSION = "protocol/partition/admission.ts";

export const STORAGE: readonly PlantedBug[] = [
  {
    name: "reply-unlogged",
    what: "Answers leave before what they show is written.",
    rule: "invariant 3",
    file: "protocol/partition/machine.ts",
    find: "    if (!this.#log.write() && this.#shows) this.#setup.reader.touch();",
    replace: "    this.#setup.reader.touch();",
  },
  {
    name: "fold-before-decide",
    what: "Records of undecided epochs are folded and dropped.",
    rule: "22",
    file: FOLDER,
    find: "return Math.min(newest, (this.#limits.firstUndecidedSeq() ?? Infinity) - 1);",
    replace: "return newest;",
  },
  {
    name: "fold-part-of-epoch",
    what: "A fold may end between the records of one epoch, and drops the first of them.",
    rule: "22",
    file: FOLDER,
    find: " && record.goesOn !== true",
    replace: "",
  },
  {
    name: "fold-loses-decided",
    what: "A fold drops records without keeping which epochs these knew to be committed.",
    rule: "22, 25",
    file: FOLDER,
    find: '    ops.push({ op: "put-meta", name: "decided", value: String(this.#limits.decided()) });\n',
    replace: "",
  },
  {
    name: "void-loses-decided",
    what: "The record that stands for an aborted one does not say what was committed before.",
    rule: "22",
    file: "protocol/record/record.ts",
    find: "columns.push(ROW.decided, generationOf(decided), countOf(decided), 0);\n  return",
    replace: "columns.push(ROW.decided, 0, 0 * decided, 0);\n  return",
  },
  {
    name: "records-lose-decided",
    what: "Records do not say which epochs were committed before them: a later local commit comes under an earlier epoch.",
    rule: "22",
    file: "protocol/partition/journal.ts",
    find: "const news = decided > this.#decided ? decided : 0;",
    replace: "const news = 0;",
  },
  {
    name: "results-lost-at-restart",
    what: "The results that records hold are not found again at a restart.",
    rule: "1, invariant 4",
    file: "protocol/partition/recovery.ts",
    find: "    for (const result of record.results) results.add(result, record.seq, record.at);\n",
    replace: "    void results;\n",
  },
  {
    name: "results-of-epochs-not-kept",
    what: "The results of an epoch are forgotten once they are answered.",
    rule: "21, invariant 4",
    file: WORK,
    find: "      this.#parts.results.add(result, record.lastSeq, record.at);\n",
    replace: "",
  },
  {
    name: "running-twice",
    what: "A request that is running already is run beside itself.",
    rule: "running 1",
    file: ADMISSION,
    find: "?? this.#roots.get(requestId) ?? this.#owed",
    replace: "?? this.#owed",
    also: [
      {
        file: ADMISSION,
        find: 'invariant(this.#roots.delete(root.requestId), "4: a request is answered twice");',
        replace: "this.#roots.delete(root.requestId);",
      },
    ],
  },
  {
    name: "follower-order-lost",
    what: "Rows of one frame with one key run side by side.",
    rule: "invariant 5",
    file: ADMISSION,
    find: "if (before) this.#follow(root, before);",
    replace: "if (before === root) this.#follow(root, before);",
  },
];
