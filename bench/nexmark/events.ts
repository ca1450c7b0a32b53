/** The events of Nexmark: people come, sell things at auctions, and bid. All times are milliseconds since 1970. */

export interface Person {
  readonly id: number;
  readonly name: string;
  readonly emailAddress: string;
  readonly creditCard: string;
  readonly city: string;
  readonly state: string;
  readonly dateTime: number;
  readonly extra: string;
}

export interface Auction {
  readonly id: number;
  readonly itemName: string;
  readonly description: string;
  /** Cents. */
  readonly initialBid: number;
  readonly reserve: number;
  readonly dateTime: number;
  readonly expires: number;
  readonly seller: number;
  readonly category: number;
  readonly extra: string;
}

export interface Bid {
  readonly auction: number;
  readonly bidder: number;
  /** Cents. */
  readonly price: number;
  readonly channel: string;
  readonly url: string;
  readonly dateTime: number;
  readonly extra: string;
}

export type NexmarkEvent =
  | { readonly kind: "person"; readonly event: Person }
  | { readonly kind: "auction"; readonly event: Auction }
  | { readonly kind: "bid"; readonly event: Bid };
export type Kind = NexmarkEvent["kind"];

/** Events of one kind that are sent together. */
export type Batch = {
  [K in Kind]: {
    readonly kind: K;
    readonly events: ReadonlyArray<Extract<NexmarkEvent, { kind: K }>["event"]>;
    /** Processing time at which it is taken, where a query asks for it. */
    readonly at: number;
  };
}[Kind];
