/** What users of Tidegate import, apart from the engine itself and the client. */

export { count, max, min, sum } from "./aggregate.ts";
export type { Aggregate } from "./aggregate.ts";
export { defineApp } from "./app.ts";
export type { AppDefinition, AppOptions } from "./app.ts";
export { collection } from "./collection.ts";
export type {
  Collection,
  CollectionKey,
  CollectionSpec,
  CollectionSpecs,
  Range,
  ReadonlyCollection,
} from "./collection.ts";
export type { Calls, DelayedSends, FnContext, QueryContext, Sends, Tried, Tries } from "./context.ts";
export { contract, fn, query } from "./contract.ts";
export type { Contract, FunctionContract, FunctionKind, Functions, RefusalSchemas } from "./contract.ts";
export type { DeepReadonly } from "./deep-readonly.ts";
export type { Duration } from "./duration.ts";
export { effect, EffectFailure } from "./effect.ts";
export type { EffectContext, EffectDefinition, EffectOptions, EffectRetries } from "./effect.ts";
export { TidegateError } from "./errors.ts";
export type { CallError } from "./errors.ts";
export type { Comparison, EventExpression, FieldTest, Predicate } from "./filter.ts";
export { flow } from "./flow.ts";
export type { FlowDefinition, FlowOutput, ViewRow } from "./flow.ts";
export type { ArgumentsOf, InputOf, OutputOf, RefusalOf } from "./infer.ts";
export type { JsonOf } from "./json.ts";
export { outcome } from "./outcome.ts";
export type { Outcome, OutcomeError } from "./outcome.ts";
export { PROBLEMS } from "./problems.ts";
export type { Problem, ProblemType } from "./problems.ts";
export { queueProducer } from "./queue.ts";
export type { QueueMessage } from "./queue.ts";
export { Refusal } from "./refusal.ts";
export type { PromiseView } from "./builtin/promises.ts";
export type { SagaView } from "./builtin/sagas.ts";
export { saga } from "./saga.ts";
export type { SagaContext, SagaDefinition, SagaOptions, SagaSoFar, SagaStep } from "./saga.ts";
export { reply } from "./reply.ts";
export type { Reply } from "./reply.ts";
export { noData } from "./schema.ts";
export type { Schema } from "./schema.ts";
export { service } from "./service.ts";
export type { Handler, Handlers, ServiceDefinition, ServiceOptions } from "./service.ts";
export { float64, int64, stream, text, timestamp } from "./stream.ts";
export type { EventColumn, EventOf, Field, Fields, StreamDefinition } from "./stream.ts";
export { tumbling } from "./window.ts";
export type { TumblingWindow } from "./window.ts";
export { signatureOf, verifyWebhook, WebhookError } from "./webhook/signature.ts";
export type { SignedParts, VerifiedWebhook, WebhookRefusal } from "./webhook/signature.ts";
export type { WebhookAllowance, WebhookResolver } from "./webhook/target.ts";
export { webhook } from "./webhook/webhook.ts";
export type { WebhookOptions } from "./webhook/webhook.ts";
export type { When } from "./when.ts";
