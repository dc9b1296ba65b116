/** How one vendor's API says what the fake says. Pure. */
import type { SseEvent } from "./anthropic-sse.ts";
import type { AnswerShape, Usage } from "./behaviour.ts";
import type { Endpoint } from "./control-types.ts";
import type { Reply } from "./reply.ts";

export type ErrorPlace = {
  readonly requestId: string;
  /** How many events of the stream have been sent before. */
  readonly index: number;
};

export type Dialect = {
  readonly streamType: string;
  events(reply: Reply, shape: AnswerShape): readonly SseEvent[];
  encode(event: SseEvent, shape: AnswerShape, sentAtMs: number): string;
  json(reply: Reply, shape: AnswerShape): string;
  /** The answer of a call that asks no model. */
  other(endpoint: Exclude<Endpoint, "messages">, usage: Usage): string;
  /** One more piece of text, for streams without end. */
  textEvent(text: string): SseEvent;
  errorEvent(type: string, message: string, place: ErrorPlace): SseEvent;
  /** The same error as an answer with a status of its own. */
  errorAnswer(type: string, message: string): { readonly status: number; readonly body: unknown };
};
