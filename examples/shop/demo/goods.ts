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

/** Sizes in which the warehouse keeps an article. */
const SIZES = 10;

/** What the warehouse keeps and customers buy, most popular first. The names are the demo's own: what is done by hand does not disturb it. */
export const STOCKED: readonly Article[] = Array.from({ length: SIZES }, (_, size) =>
  ARTICLES.map(({ name, price }) => ({ name: `demo-${name}-${size}`, price })),
).flat();
