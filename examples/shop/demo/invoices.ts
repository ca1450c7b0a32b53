/** What takes longer than a transaction, with a shortened clock: invoices that are paid or not, parcels that are collected or not. */
import type { InvoiceState } from "../src/contracts.ts";
import { differs, type Findings } from "./findings.ts";
import type { Http } from "./http.ts";
import { Receiver, RECEIVER } from "./receiver.ts";

export const INVOICES = 24;
/** Milliseconds instead of half an hour and two days. */
const PAY_WITHIN_MS = 1_500;
const COLLECT_WITHIN_MS = 2_500;
/** For what has no deadline: webhooks that are sent again. */
const PATIENCE_MS = 60_000;
const OPENING = 1_000;

type Fate = "unpaid" | "uncollected" | "shipped";
const FATES: readonly Fate[] = ["shipped", "unpaid", "shipped", "uncollected"];
const ENDS: Readonly<Record<Fate, InvoiceState["status"]>> = {
  unpaid: "cancelled",
  uncollected: "returned",
  shipped: "shipped",
};

interface Told {
  readonly key: string;
  readonly fate: Fate;
  readonly quantity: number;
  readonly total: number;
}

const sleep = (ms: number): Promise<void> => new Promise((wake) => setTimeout(wake, ms));

export class Invoices {
  readonly #http: Http;
  readonly #run: string;
  readonly #receiver: Receiver;
  readonly #faults: string[] = [];
  readonly #item: string;

  constructor(http: Http, run: string, secret: string) {
    this.#http = http;
    this.#run = run;
    this.#receiver = new Receiver(secret);
    this.#item = `${run} lamp`;
  }

  /** Opens, pays and collects them as is foretold of each, and audits what has come of it. Returns lines for people. */
  async drive(findings: Findings): Promise<readonly string[]> {
    await this.#receiver.listen();
    try {
      await this.#post("stock", this.#item, "restock", { quantity: OPENING });
      const told = Array.from({ length: INVOICES }, (_, at): Told => {
        const quantity = 1 + (at % 3);
        return { key: `${this.#run}/${at}`, fate: FATES[at % FATES.length] as Fate, quantity, total: quantity * 1_900 };
      });
      const began = performance.now();
      await Promise.all(told.map((one) => this.#live(one)));
      const states = await Promise.all(told.map((one) => this.#untilOver(one)));
      await this.#audit(findings, told, states);
      const seconds = ((performance.now() - began) / 1_000).toFixed(1);
      return [
        `${INVOICES} invoices in ${seconds} s: half an hour to pay was ${PAY_WITHIN_MS / 1_000} s, two days to collect ${COLLECT_WITHIN_MS / 1_000} s.`,
        `${this.#receiver.deliveries} webhooks came for ${this.#receiver.taken.size} payments; some were refused once, or answered by nothing.`,
      ];
    } finally {
      this.#receiver.close();
    }
  }

  async #live({ key, fate, quantity }: Told): Promise<void> {
    const notify = `http://${RECEIVER.host}:${RECEIVER.port}/hooks`;
    const opened = { customer: key, item: this.#item, quantity, price: 1_900, notify };
    await this.#post("invoice", key, "open", {
      ...opened,
      payWithin: fate === "unpaid" ? PAY_WITHIN_MS : PATIENCE_MS,
      collectWithin: fate === "uncollected" ? COLLECT_WITHIN_MS : PATIENCE_MS,
    });
    if (fate === "unpaid") return;
    await this.#post("invoice", key, "pay");
    if (fate !== "shipped") return;
    const path = `/v1/promises/${encodeURIComponent(`collected-${key}`)}`;
    // The saga comes to it after the payment's transaction.
    for (const giveUp = Date.now() + PATIENCE_MS; Date.now() < giveUp; await sleep(20)) {
      const { status } = await this.#http.send({
        method: "POST",
        path,
        body: "null",
        idempotencyKey: `${key} collected`,
      });
      if (status === 200) return;
    }
    this.#faults.push(`the parcel of ${key} cannot be collected`);
  }

  async #untilOver({ key, fate }: Told): Promise<InvoiceState> {
    const wanted = fate === "unpaid" ? 0 : 1;
    for (const giveUp = Date.now() + PATIENCE_MS; ; await sleep(50)) {
      const state = (await this.#get("invoice", key, "read")) as InvoiceState;
      if (state.endedAt > 0 && state.confirmed >= wanted) return state;
      if (Date.now() > giveUp) return state;
    }
  }

  async #audit(findings: Findings, told: readonly Told[], states: readonly InvoiceState[]): Promise<void> {
    const faults = [...this.#faults, ...this.#receiver.faults];
    let left = OPENING;
    for (const [at, { key, fate, quantity, total }] of told.entries()) {
      const { status, confirmed, openedAt, endedAt } = states[at] as InvoiceState;
      if (status !== ENDS[fate]) faults.push(differs(`invoice ${key}`, ENDS[fate], status));
      if (status === "shipped") left -= quantity;
      const early = fate === "unpaid" ? PAY_WITHIN_MS : fate === "uncollected" ? COLLECT_WITHIN_MS : 0;
      if (endedAt - openedAt < early) faults.push(`invoice ${key} was over after ${endedAt - openedAt} ms`);
      const paid = fate !== "unpaid";
      if (confirmed !== Number(paid)) faults.push(differs(`confirmations of ${key}`, Number(paid), confirmed));
      const known = this.#receiver.taken.get(key);
      if ((known?.ids.size ?? 0) !== Number(paid))
        faults.push(`webhooks of ${key} came under ${known?.ids.size ?? 0} ids`);
      if (known && !known.totals.has(total)) faults.push(`a webhook of ${key} told another total`);
    }
    findings.check(
      "invoices, each paid, cancelled, shipped or returned as foretold, and its webhook under one id",
      told.length,
      faults,
    );
    await this.#auditStock(findings, left);
  }

  /** As the schedule does it every night. */
  async #auditStock(findings: Findings, left: number): Promise<void> {
    const { available } = (await this.#get("stock", this.#item, "level")) as { available: number };
    const faults = available === left ? [] : [differs(`pieces of ${this.#item}`, left, available)];
    await this.#post("report", "all", "build");
    const { levels } = (await this.#get("report", "all", "read")) as {
      levels: Array<{ item: string; available: number }>;
    };
    const reported = levels.find(({ item }) => item === this.#item)?.available;
    if (reported !== left) faults.push(differs("the stock report", left, reported));
    findings.check("pieces on account, in stock and in the nightly report", left, faults);
  }

  async #post(service: string, key: string, name: string, input?: object): Promise<unknown> {
    const path = `/v1/services/${service}/${encodeURIComponent(key)}/${name}`;
    const body = input === undefined ? undefined : JSON.stringify(input);
    const idempotencyKey = `${this.#run} ${service} ${key} ${name}`;
    return this.#read(
      await this.#http.send({ method: "POST", path, ...(body === undefined ? {} : { body }), idempotencyKey }),
      path,
    );
  }

  async #get(service: string, key: string, name: string): Promise<unknown> {
    const path = `/v1/services/${service}/${encodeURIComponent(key)}/${name}`;
    return this.#read(await this.#http.send({ method: "GET", path }), path);
  }

  #read({ status, text }: { readonly status: number; readonly text: string }, path: string): unknown {
    if (status !== 200) throw new Error(`${path} was answered ${status}: ${text}`);
    return JSON.parse(text) as unknown;
  }
}
