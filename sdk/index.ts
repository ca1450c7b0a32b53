/** What users of Tidegate import, apart from the engine itself and the client. */

export { count, max, min, sum } from "./aggregate.ts";
export type { Aggregate } from "./aggregate.ts";
export { defineApp } from "./app.ts";
export type { AppDefinition, AppOptions } from "./app.ts";
export { authenticated, everyone } from "./caller.ts";
export type { Allow, Caller } from "./caller.ts";
export { collection } from "./collection.ts";
export type {
  Collection,
  CollectionKey,
  CollectionSpec,
  CollectionSpecs,
  Range,
  ReadonlyCollection,
} from "./collection.ts";
export type { Calls, FnContext, QueryContext, Sends, Tried, Tries } from "./context.ts";
export { contract, fn, query } from "./contract.ts";
export type { Contract, FunctionContract, FunctionKind, Functions, RefusalSchemas } from "./contract.ts";
export type { DeepReadonly } from "./deep-readonly.ts";
export type {
  AllowOptions,
  CorsOptions,
  DoorOptions,
  JsonWebKeySet,
  JwtAlgorithm,
  JwtOptions,
  LimitOptions,
  Placement,
  RateOptions,
} from "./door.ts";
export type { Duration } from "./duration.ts";
export { TidegateError } from "./errors.ts";
export type { CallError } from "./errors.ts";
export type { Comparison, EventExpression, FieldTest, Predicate } from "./filter.ts";
export { flow } from "./flow.ts";
export type { FlowDefinition, FlowOutput, ViewRow } from "./flow.ts";
export type { ArgumentsOf, InputOf, OutputOf, RefusalOf } from "./infer.ts";
export type { JsonOf } from "./json.ts";
export { PROBLEMS } from "./problems.ts";
export type { Problem, ProblemType } from "./problems.ts";
export { Refusal } from "./refusal.ts";
export { noData } from "./schema.ts";
export type { Schema } from "./schema.ts";
export { service } from "./service.ts";
export type { FunctionOptions, Handler, Handlers, ServiceDefinition, ServiceOptions, Upcaster } from "./service.ts";
export { float64, int64, stream, text, timestamp } from "./stream.ts";
export type { EventColumn, EventOf, Field, Fields, StreamDefinition } from "./stream.ts";
export { tumbling } from "./window.ts";
export type { TumblingWindow } from "./window.ts";
