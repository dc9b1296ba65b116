/** What differs between the wire formats that the fake answers in. */
import type { IncomingMessage } from "node:http";
import { anthropicDialect } from "./anthropic-dialect.ts";
import type { AnswerShape } from "./behaviour.ts";
import { chatDialect } from "./openai-chat.ts";
import { plainDialect } from "./openai-plain.ts";
import { responsesDialect } from "./openai-responses.ts";
import type { SseEvent } from "./anthropic-sse.ts";
import type { JsonRecord } from "./record.ts";
import type { Reply } from "./reply.ts";
import type { HeaderMap } from "./response-headers.ts";

export type Dialect = {
  /** The call in the form of Anthropic's, in which the fake thinks; null when it is not a call of this dialect. */
  readonly normalize: (body: JsonRecord) => JsonRecord | null;
  /** What a call without it is told. */
  readonly missing: string;
  readonly json: (reply: Reply, shape: AnswerShape) => string;
  readonly events: (reply: Reply, shape: AnswerShape, body: JsonRecord) => readonly SseEvent[];
  /** One more text delta, for streams without end. */
  readonly delta: (index: number, text: string) => SseEvent;
  readonly errorEvent: (type: string, message: string, requestId: string) => SseEvent;
  readonly errorBody: (type: string, message: string) => unknown;
  readonly limitHeaders: (nowMs: number) => HeaderMap;
};

const DIALECTS: readonly (readonly [path: RegExp, dialect: Dialect])[] = [
  [/\/responses(\/compact)?$/, responsesDialect],
  [/\/chat\/completions$/, chatDialect],
  [/\/(embeddings|images\/generations)$/, plainDialect],
];

/** The dialect of a model call by its path; null where there is none but Anthropic's. */
const openAiDialectOf = (path: string): Dialect | null =>
  DIALECTS.find(([pattern]) => pattern.test(path))?.[1] ?? null;

export const isOpenAiCall = (path: string): boolean => openAiDialectOf(path) !== null;

export const dialectOf = (path: string): Dialect => openAiDialectOf(path) ?? anthropicDialect;

/** The credential of a call, wherever a vendor's clients put it. */
export function credentialOf(request: IncomingMessage): string | null {
  for (const name of ["x-api-key", "api-key"]) {
    const key = request.headers[name];
    if (typeof key === "string") return key;
  }
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "");
  return bearer?.[1] ?? null;
}
