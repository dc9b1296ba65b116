/** Neutral events as the chunks of a Chat Completions stream. Pure. */
import { isObject, type Json } from "../../../domain/json.ts";
import { topLevelFields, parseAt } from "../../json-fields.ts";
import type { AnswerEvent, AnswerFacts, AnswerUsage, Bound } from "../../neutral.ts";
import type { ClientCall } from "../../protocol.ts";
import { running, type AnswerEncoder, type Step } from "../../translate.ts";
import { finishReasonOf, usageOf } from "./answer-fields.ts";
import { hasLegacyTools } from "./decode-tools.ts";
import { encodeWhole } from "./encode-answer-whole.ts";
import { dataUrl } from "./media.ts";
import { detailFor, extraFor } from "./reasoning.ts";

/** How the client wants to be answered. */
export interface AnswerForm {
  readonly id: string;
  readonly model: string;
  /** Seconds since the epoch. */
  readonly created: number;
  /** The client asked for usage behind a stream. */
  readonly usage: boolean;
  /** The client asked with `functions`, and knows no `tool_calls`. */
  readonly isLegacy: boolean;
}

export function createEncoder({ body }: Pick<ClientCall, "body">, facts: AnswerFacts): AnswerEncoder {
  const form = formOf(body, facts);
  const envelope = envelopeOf(form);
  const stream = running(EMPTY_STATE, (state: EncoderState, event: AnswerEvent) =>
    encodeEvent(state, event, form),
  );
  return {
    streamType: "text/event-stream",
    encode: (event) =>
      stream
        .push(event)
        .map((piece) => frame(piece, envelope))
        .join(""),
    whole: (events) => encodeWhole(events, form),
  };
}

function formOf(body: Uint8Array, { id, model, now }: AnswerFacts): AnswerForm {
  const fields = topLevelFields(body);
  const range = fields.get("stream_options");
  const options = range === undefined ? null : parseAt(body, range);
  return {
    id: `chatcmpl-${id}`,
    model,
    created: Math.floor(now / 1000),
    usage: isObject(options) && options.include_usage === true,
    isLegacy: hasLegacyTools(fields),
  };
}

/** What an event comes to, before its envelope. */
type Piece =
  | { readonly kind: "delta"; readonly delta: Json; readonly finish: string | null }
  | { readonly kind: "usage"; readonly usage: AnswerUsage }
  | { readonly kind: "error"; readonly type: string; readonly message: string }
  | { readonly kind: "done" };

/** The same in every chunk of a stream, so it is written once. */
interface Envelope {
  readonly before: string;
  readonly after: string;
}

function envelopeOf({ id, model, created, usage }: AnswerForm): Envelope {
  const head = JSON.stringify({ id, object: "chat.completion.chunk", created, model });
  return {
    before: `data: ${head.slice(0, -1)},"choices":[`,
    after: usage ? '],"usage":null}\n\n' : "]}\n\n",
  };
}

function frame(piece: Piece, { before, after }: Envelope): string {
  switch (piece.kind) {
    case "delta": {
      const choice = { index: 0, delta: piece.delta, logprobs: null, finish_reason: piece.finish };
      return `${before}${JSON.stringify(choice)}${after}`;
    }
    case "usage":
      return `${before}],"usage":${JSON.stringify(usageOf(piece.usage))}}\n\n`;
    case "error": {
      const { type, message } = piece;
      return `data: ${JSON.stringify({ error: { message, type, code: null, param: null } })}\n\n`;
    }
    case "done":
      return "data: [DONE]\n\n";
  }
}

type OpenState =
  | { readonly kind: "text" | "refusal" }
  | {
      readonly kind: "thinking";
      readonly redacted: boolean;
      /** Repeated beside the signature, which is worth nothing without it. */
      readonly text: string;
      readonly signature: Bound | null;
    }
  | { readonly kind: "tool_call"; readonly position: number; readonly hasArguments: boolean };

interface EncoderState {
  readonly open: ReadonlyMap<number, OpenState>;
  /** Counts calls only, whatever else was said. */
  readonly calls: number;
  readonly details: number;
  readonly usage: AnswerUsage | null;
}

const EMPTY_STATE: EncoderState = { open: new Map(), calls: 0, details: 0, usage: null };

type EncoderStep = Step<EncoderState, Piece>;

const delta = (value: Json, finish: string | null = null): Piece => ({ kind: "delta", delta: value, finish });

function encodeEvent(state: EncoderState, event: AnswerEvent, form: AnswerForm): EncoderStep {
  switch (event.kind) {
    case "start":
      return [state, [delta({ role: "assistant", content: "", refusal: null })]];
    case "open":
      return opened(state, event, form);
    case "delta":
      return said(state, event, form);
    case "signature":
      return signed(state, event, form);
    case "close":
      return closed(state, event, form);
    case "media": {
      const url = dataUrl(event.mediaType, event.data);
      return [state, [delta({ images: [{ type: "image_url", image_url: { url } }] })]];
    }
    case "usage":
      return [{ ...state, usage: event.usage }, []];
    case "finish":
      return [state, [delta({}, finishReasonOf(event.reason, form.isLegacy))]];
    case "end":
      return [state, [...usagePiece(state, form), { kind: "done" }]];
    case "error":
      // Without `[DONE]` behind it: a client that knows no error frames must not take the answer for whole.
      return [state, [{ kind: "error", type: event.type, message: event.message }]];
  }
}

const usagePiece = ({ usage }: EncoderState, form: AnswerForm): readonly Piece[] =>
  form.usage && usage !== null ? [{ kind: "usage", usage }] : [];

const withOpen = (state: EncoderState, index: number, part: OpenState): EncoderState => ({
  ...state,
  open: new Map(state.open).set(index, part),
});

type Of<Kind extends AnswerEvent["kind"]> = Extract<AnswerEvent, { kind: Kind }>;

function opened(state: EncoderState, { index, part }: Of<"open">, form: AnswerForm): EncoderStep {
  switch (part.kind) {
    case "text":
    case "refusal":
      return [withOpen(state, index, { kind: part.kind }), []];
    case "thinking": {
      const { kind, redacted } = part;
      return [withOpen(state, index, { kind, redacted, text: "", signature: null }), []];
    }
    case "tool_call": {
      const position = state.calls;
      const next = {
        ...withOpen(state, index, { kind: "tool_call", position, hasArguments: false }),
        calls: position + 1,
      };
      const call = { name: part.name, arguments: "" };
      if (!form.isLegacy)
        return [
          next,
          [delta({ tool_calls: [{ index: position, id: part.id, type: "function", function: call }] })],
        ];
      return [next, position === 0 ? [delta({ function_call: call })] : []];
    }
  }
}

function said(state: EncoderState, { index, text }: Of<"delta">, form: AnswerForm): EncoderStep {
  const part = state.open.get(index);
  switch (part?.kind) {
    case "text":
      return [state, [delta({ content: text })]];
    case "refusal":
      return [state, [delta({ refusal: text })]];
    case "thinking":
      return [
        withOpen(state, index, { ...part, text: part.text + text }),
        [delta({ reasoning_content: text })],
      ];
    case "tool_call": {
      const next = part.hasArguments ? state : withOpen(state, index, { ...part, hasArguments: true });
      return [next, argumentsPiece(part.position, text, form)];
    }
    case undefined:
      return [state, []];
  }
}

function argumentsPiece(position: number, text: string, { isLegacy }: AnswerForm): readonly Piece[] {
  const call = { arguments: text };
  if (!isLegacy) return [delta({ tool_calls: [{ index: position, function: call }] })];
  return position === 0 ? [delta({ function_call: call })] : [];
}

function signed(state: EncoderState, { index, signature }: Of<"signature">, form: AnswerForm): EncoderStep {
  const part = state.open.get(index);
  if (part?.kind === "thinking") return [withOpen(state, index, { ...part, signature }), []];
  if (part?.kind !== "tool_call" || form.isLegacy) return [state, []];
  const call = { index: part.position, extra_content: extraFor(signature) };
  return [state, [delta({ tool_calls: [call] })]];
}

function closed(state: EncoderState, { index }: Of<"close">, form: AnswerForm): EncoderStep {
  const part = state.open.get(index);
  const open = new Map(state.open);
  open.delete(index);
  const next = { ...state, open };
  // Clients parse the arguments, even of a call that has none.
  if (part?.kind === "tool_call")
    return [next, part.hasArguments ? [] : argumentsPiece(part.position, "{}", form)];
  const detail = part?.kind === "thinking" ? detailFor(part, state.details) : null;
  if (detail === null) return [next, []];
  return [{ ...next, details: state.details + 1 }, [delta({ reasoning_details: [detail] })]];
}
