/** What differs between the wire formats that the fake answers in. */
import type { IncomingMessage } from "node:http";
import { anthropicDialect } from "./anthropic-dialect.ts";
import type { SseEvent } from "./anthropic-sse.ts";
import { bedrockRoute } from "./bedrock.ts";
import { bedrockDialect } from "./bedrock-dialect.ts";
import type { AnswerShape, StatusBehaviour, Usage } from "./behaviour.ts";
import type { Endpoint } from "./control-types.ts";
import { factoryDialect, factoryPlaceOf, type FactoryRequest } from "./factory.ts";
import { googleDialect } from "./google/dialect.ts";
import { googleCallOf } from "./google/request.ts";
import { chatDialect } from "./openai-chat.ts";
import { plainDialect } from "./openai-plain.ts";
import { responsesDialect } from "./openai-responses.ts";
import type { JsonRecord } from "./record.ts";
import type { Reply } from "./reply.ts";
import type { HeaderMap } from "./response-headers.ts";
import { parseAuthorization, type SignedRequest } from "./sigv4.ts";

export type ErrorPlace = {
  readonly requestId: string;
  /** How many events of the stream have been sent before. */
  readonly index: number;
};

export type Dialect = {
  /** The content type of a stream. */
  readonly streamType: string;
  /** Who may call with what, where that is not the common check of a credential. null: nothing is wrong. */
  readonly refusal?: (request: SignedRequest, nowMs: number) => StatusBehaviour | null;
  /** What is wrong with a call apart from who makes it; null: nothing. Absent: this is not looked at. */
  readonly complaint?: (request: FactoryRequest) => string | null;
  /** The call in the form of Anthropic's, in which the fake thinks; null when it is not a call of this dialect. */
  readonly normalize: (body: JsonRecord) => JsonRecord | null;
  /** What a call without it is told. */
  readonly missing: string;
  readonly json: (reply: Reply, shape: AnswerShape) => string;
  /** What an answer in one piece tells of the reply's usage, where that is not all. */
  readonly told?: (usage: Usage) => Usage;
  /** The answer of a call that asks no model. */
  readonly other: (endpoint: Exclude<Endpoint, "messages">, usage: Usage) => string;
  readonly events: (reply: Reply, shape: AnswerShape, body: JsonRecord) => readonly SseEvent[];
  readonly encode: (event: SseEvent, shape: AnswerShape, sentAtMs: number) => string | Uint8Array;
  /** One more text delta, for streams without end. */
  readonly delta: (index: number, text: string) => SseEvent;
  readonly errorEvent: (type: string, message: string, place: ErrorPlace) => SseEvent;
  /** The same error as an answer with a status of its own. Knows the types of the fake's own refusals, too. */
  readonly errorAnswer: (
    type: string,
    message: string,
  ) => Pick<StatusBehaviour, "status" | "body" | "headers">;
  readonly limitHeaders: (nowMs: number) => HeaderMap;
};

const OPENAI_DIALECTS: readonly (readonly [path: RegExp, dialect: Dialect])[] = [
  [/\/responses(\/compact)?$/, responsesDialect],
  [/\/chat\/completions$/, chatDialect],
  [/\/(embeddings|images\/generations)$/, plainDialect],
];

export type Asked = {
  readonly dialect: Dialect;
  /** null: there is no such call. */
  readonly endpoint: Endpoint | null;
};

/** The calls of all dialects that ask a model are messages: the same behaviours and the same sums. */
export function askedOf(method: string, url: string): Asked {
  const google = googleCallOf(method, url);
  if (google !== null) return { dialect: googleDialect(google), endpoint: google.endpoint };
  const path = pathWithoutQuery(url);
  const bedrock = bedrockRoute(method, path);
  if (bedrock !== null) return { dialect: bedrockDialect(bedrock), endpoint: bedrock.endpoint };
  const place = factoryPlaceOf(path);
  if (place === null) return commonly(method, path);
  const { dialect, endpoint } = commonly(method, path);
  return { dialect: factoryDialect(dialect, place), endpoint: place === "" ? null : endpoint };
}

/** The vendors' own places, which those who copy them have too. */
function commonly(method: string, path: string): Asked {
  const openAi = OPENAI_DIALECTS.find(([pattern]) => pattern.test(path))?.[1];
  if (openAi !== undefined) return { dialect: openAi, endpoint: method === "POST" ? "messages" : null };
  return { dialect: anthropicDialect, endpoint: anthropicEndpointOf(`${method} ${path}`) };
}

/** OpenAI's list of models is the same to the fake. */
function anthropicEndpointOf(route: string): Endpoint | null {
  if (route.startsWith("POST ") && route.endsWith("/v1/messages")) return "messages";
  if (route.startsWith("POST ") && route.endsWith("/v1/messages/count_tokens")) return "count_tokens";
  if (route.startsWith("GET ") && route.endsWith("/models")) return "models";
  return null;
}

export function pathWithoutQuery(path: string): string {
  const mark = path.indexOf("?");
  return mark === -1 ? path : path.slice(0, mark);
}

/** The credential of a call, wherever a vendor's clients put it. */
export function credentialOf(request: IncomingMessage): string | null {
  for (const name of ["x-api-key", "api-key", "x-goog-api-key"]) {
    const key = request.headers[name];
    if (typeof key === "string") return key;
  }
  const bearer = /^Bearer (.+)$/i.exec(request.headers.authorization ?? "");
  return bearer?.[1] ?? parseAuthorization(request.headers.authorization)?.accessKeyId ?? null;
}
