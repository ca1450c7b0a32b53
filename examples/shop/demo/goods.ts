/** What the demo's shop sells: articles with prices, the popular ones first. */

const KINDS = [
  "teapot",
  "mug",
  "kettle",
  "grinder",
  "scale",
  "filter",
  "tray",
  "spoon",
  "jar",
  "carafe",
  "whisk",
  "tin",
];
const FINISHES = ["white", "black", "copper", "oak", "glass"];

export interface Article {
  readonly name: string;
  /** Cents. */
  readonly price: number;
}

/** Every article, most popular first. */
export const ARTICLES: readonly Article[] = FINISHES.flatMap((finish, row) =>
  KINDS.map((kind, column) => ({ name: `${finish}-${kind}`, price: 290 + 100 * ((row * 7 + column * 13) % 41) })),
);
