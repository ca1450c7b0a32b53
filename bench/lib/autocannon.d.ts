/** The part of autocannon that the benchmarks use; the package has no types of its own. */
declare module "autocannon" {
  interface Options {
    readonly url: string;
    readonly connections: number;
    readonly duration: number;
    readonly requests: ReadonlyArray<{ readonly method: string; readonly setupRequest: (request: object) => object }>;
  }
  interface Result {
    readonly non2xx: number;
    readonly errors: number;
  }
  interface Run extends Promise<Result> {
    on(
      event: "response",
      listener: (client: unknown, status: number, bytes: number, milliseconds: number) => void,
    ): this;
  }
  export default function autocannon(options: Options): Run;
}
