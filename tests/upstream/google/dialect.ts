/** Google's dialects of the fake: events or a growing array, bare or in the envelope of Code Assist. Pure. */
import type { SseEvent } from "../anthropic-sse.ts";
import type { AnswerShape, Usage } from "../behaviour.ts";
import type { Dialect } from "../dialect.ts";
import type { Block, Reply } from "../reply.ts";
import { googleErrorBody } from "./behaviours.ts";
import { asMessages, type GoogleCall } from "./request.ts";

const ERROR_CODE: Readonly<Record<string, number>> = {
  INVALID_ARGUMENT: 400,
  UNAUTHENTICATED: 401,
  PERMISSION_DENIED: 403,
  NOT_FOUND: 404,
  RESOURCE_EXHAUSTED: 429,
  UNAVAILABLE: 503,
  DEADLINE_EXCEEDED: 504,
};

const codeOf = (status: string) => ERROR_CODE[status] ?? 500;

/** Google's words for the fake's own refusals; every other type is taken as a status of Google's. */
const STATUS_OF_REFUSAL: Readonly<Record<string, string>> = {
  authentication_error: "UNAUTHENTICATED",
  invalid_request_error: "INVALID_ARGUMENT",
  not_found_error: "NOT_FOUND",
  request_too_large: "INVALID_ARGUMENT",
};

/** Google counts thoughts beside the candidates, cached tokens into the prompt, and its own tools' words apart. */
export function usageMetadata(usage: Usage) {
  const thoughts = Math.floor(usage.output_tokens / 4);
  const tools = usage.input_tokens > 50 ? 5 : 0;
  const prompt = usage.input_tokens - tools + usage.cache_read_input_tokens;
  return {
    promptTokenCount: prompt,
    ...(usage.cache_read_input_tokens === 0
      ? {}
      : { cachedContentTokenCount: usage.cache_read_input_tokens }),
    ...(tools === 0 ? {} : { toolUsePromptTokenCount: tools }),
    candidatesTokenCount: usage.output_tokens - thoughts,
    ...(thoughts === 0 ? {} : { thoughtsTokenCount: thoughts }),
    totalTokenCount: prompt + tools + usage.output_tokens,
  };
}

/** Of calls side by side Google signs the first. */
const partsOf = (block: Block, index: number, blocks: readonly Block[]): readonly object[] => {
  switch (block.type) {
    case "thinking":
      return block.pieces.map((text) => ({ text, thought: true }));
    case "text":
      return block.pieces.map((text) => ({ text }));
    case "tool_use":
      return [
        {
          functionCall: { name: block.name, args: block.input, id: block.id },
          ...(blocks[index - 1]?.type === "tool_use" ? {} : { thoughtSignature: "Zm9v" }),
        },
      ];
  }
};

const candidate = (parts: readonly object[], more: object = {}) => ({
  candidates: [{ content: { parts, role: "model" }, index: 0, ...more }],
});

const about = ({ model, id }: Reply) => ({ modelVersion: model, responseId: id });

function messagesOf(
  reply: Reply,
  shape: AnswerShape,
): readonly (object & { reports: SseEvent["reports"] })[] {
  const early = { ...reply.usage, output_tokens: Math.min(1, reply.usage.output_tokens) };
  const usageOf = (usage: Usage) => (shape.omitUsage === true ? {} : { usageMetadata: usageMetadata(usage) });
  const first = shape.usageInDeltaOnly === true ? {} : usageOf(early);
  const pieces = reply.blocks.flatMap(partsOf).map((part, index) => ({
    ...candidate([part]),
    ...first,
    ...about(reply),
    reports: index === 0 && shape.omitUsage !== true ? ("started" as const) : null,
  }));
  const last = {
    ...candidate([{ text: "" }], { finishReason: "STOP" }),
    ...usageOf(reply.usage),
    ...about(reply),
    reports: shape.omitUsage === true ? null : ("final" as const),
  };
  return [...pieces, last];
}

/** What the methods of Code Assist about an account answer. */
const ACCOUNT_ANSWERS: Readonly<Record<string, object>> = {
  loadCodeAssist: {
    currentTier: { id: "standard-tier" },
    allowedTiers: [{ id: "standard-tier", isDefault: true }],
    cloudaicompanionProject: "project-of-the-account",
  },
  onboardUser: { done: true, response: { cloudaicompanionProject: { id: "project-of-the-account" } } },
  retrieveUserQuota: { buckets: [] },
  listExperiments: { experimentIds: [] },
};

const MODELS = JSON.stringify({
  models: [{ name: "models/gemini-2.5-pro", supportedGenerationMethods: ["generateContent"] }],
});

export function googleDialect(call: GoogleCall): Dialect {
  const wrap = (message: object): object =>
    call.wrapped ? { response: message, traceId: "trace-of-the-fake" } : message;
  const framing = call.sse ? eventFraming : arrayFraming;

  return {
    streamType: call.sse ? "text/event-stream" : "application/json; charset=UTF-8",
    normalize: (body) => asMessages(body, call),
    missing: "* GenerateContentRequest.contents: contents is not specified",
    encode: framing.encode,
    events(reply, shape) {
      const messages = messagesOf(reply, shape);
      return messages.map(({ reports, ...message }, index) =>
        framing.event(wrap(message), { reports, index, isLast: index === messages.length - 1 }),
      );
    },
    json(reply, shape) {
      const usage = shape.omitUsage === true ? {} : { usageMetadata: usageMetadata(reply.usage) };
      const parts = reply.blocks.flatMap((block, index) =>
        block.type === "text" ? [{ text: block.pieces.join("") }] : partsOf(block, index, reply.blocks),
      );
      const message = { ...candidate(parts, { finishReason: "STOP" }), ...usage, ...about(reply) };
      return JSON.stringify(wrap(message), null, 2);
    },
    other(endpoint, usage) {
      if (endpoint === "models") return MODELS;
      return JSON.stringify(ACCOUNT_ANSWERS[call.method] ?? { totalTokens: usage.input_tokens });
    },
    delta: (_, text) =>
      framing.event(wrap(candidate([{ text }])), { reports: null, index: 1, isLast: false }),
    errorEvent: (type, message, { index }) =>
      framing.event(googleErrorBody(codeOf(type), type, message), { reports: null, index, isLast: true }),
    errorAnswer(type, message) {
      const status = STATUS_OF_REFUSAL[type] ?? type;
      return { status: codeOf(status), body: googleErrorBody(codeOf(status), status, message) };
    },
    // Google tells limits only when they are reached.
    limitHeaders: () => ({}),
  };
}

type Place = Pick<SseEvent, "reports"> & { readonly index: number; readonly isLast: boolean };
type Framing = Pick<Dialect, "encode"> & {
  readonly event: (message: object, place: Place) => SseEvent;
};

const eventFraming: Framing = {
  event: (message, { reports }) => ({ name: null, json: JSON.stringify(message), reports }),
  encode({ json }, shape, sentAtMs) {
    const end = shape.lineEnd ?? "\r\n";
    const space = shape.spacelessData === true ? "" : " ";
    const data = `data:${space}${typeof json === "string" ? json : json(sentAtMs)}${end}${end}`;
    return shape.comments === true ? `: between${end}${end}${data}` : data;
  },
};

/** The name of an element is what stands before it. */
const arrayFraming: Framing = {
  event: (message, { reports, index, isLast }) => ({
    name: index === 0 ? "[" : ",\r\n",
    json: `${JSON.stringify(message, null, 2)}${isLast ? "\n]" : "\n"}`,
    reports,
  }),
  encode: ({ name, json }, _, sentAtMs) => (name ?? "") + (typeof json === "string" ? json : json(sentAtMs)),
};
