/** One delta of an answer: each of its fields in the order in which a model speaks. Pure. */
import { isObject, type Json } from "../../../domain/json.ts";
import { callDelta, continuedBy, legacyDelta, told, withDelta, type CallDelta } from "./decode-calls.ts";
import {
  andThen,
  appendText,
  closeCurrent,
  closeFinished,
  ensureCurrent,
  say,
  type Context,
  type DecoderState,
  type DecoderStep,
} from "./decoder-state.ts";
import { readDataUrl } from "./media.ts";
import { DETAIL_ENCRYPTED, TEXT_FIELDS, boundDetail, type TextField } from "./reasoning.ts";

type Decode = (state: DecoderState, delta: Json, context: Context) => DecoderStep;

const filled = (value: unknown): string | null => (typeof value === "string" && value !== "" ? value : null);
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

function each(
  state: DecoderState,
  values: readonly unknown[],
  decode: (state: DecoderState, value: unknown) => DecoderStep,
): DecoderStep {
  let current = state;
  const out = [];
  for (const value of values) {
    const [next, events] = decode(current, value);
    current = next;
    out.push(...events);
  }
  return [current, out];
}

/**
 * Details repeat the text of the plain field and part it as it was thought, so they are preferred, except where
 * they only come to sign what was told already. Some send the same text under both plain names.
 */
function reasoning(state: DecoderState, delta: Json): DecoderStep {
  const field = TEXT_FIELDS.find((name) => filled(delta[name]) !== null);
  const details = listOf(delta.reasoning_details);
  const isParted = details.some((detail) => textIn(detail) !== null);
  if (field !== undefined && !isParted)
    return andThen(plainReasoning(state, String(delta[field]), field), (next) => each(next, details, sealed));
  if (field === undefined && state.current?.isPlain === true) return each(state, details, sealed);
  return each(state, details, (next, detail) =>
    andThen(appendText(next, "thinking", textIn(detail) ?? "", field ?? "reasoning"), (said) =>
      sealed(said, detail),
    ),
  );
}

const plainReasoning = (state: DecoderState, text: string, field: TextField): DecoderStep =>
  andThen(appendText(state, "thinking", text, field), (next) =>
    next.current === null ? [next, []] : [{ ...next, current: { ...next.current, isPlain: true } }, []],
  );

const textIn = (detail: unknown): string | null =>
  isObject(detail) ? (filled(detail.text) ?? filled(detail.summary)) : null;

/** What a detail holds besides its text. */
function sealed(state: DecoderState, detail: unknown): DecoderStep {
  if (!isObject(detail)) return [state, []];
  if (detail.type === DETAIL_ENCRYPTED && filled(detail.data) !== null) return hidden(state, detail);
  return filled(detail.signature) === null ? [state, []] : signed(state, detail);
}

/** A signature is the last of its part. */
function signed(state: DecoderState, detail: Json): DecoderStep {
  return andThen(ensureCurrent(state, "thinking"), (next) => {
    if (next.current === null) return [next, []];
    const { current } = next;
    const signature = { kind: "signature", index: current.index, signature: boundDetail(detail) } as const;
    return andThen(say({ ...next, current: { ...current, field: null } }, signature), closeCurrent);
  });
}

function hidden(state: DecoderState, detail: Json): DecoderStep {
  return andThen(closeFinished(state), (closed) => {
    const index = closed.nextIndex;
    return say(
      { ...closed, nextIndex: index + 1 },
      { kind: "open", index, part: { kind: "thinking", redacted: true } },
      { kind: "signature", index, signature: boundDetail(detail) },
      { kind: "close", index },
    );
  });
}

/** A string, or parts as in requests (Mistral, with its reasoning among them). */
function content(state: DecoderState, delta: Json): DecoderStep {
  if (typeof delta.content === "string") return appendText(state, "text", delta.content);
  return each(state, listOf(delta.content), contentPart);
}

function contentPart(state: DecoderState, part: unknown): DecoderStep {
  if (typeof part === "string") return appendText(state, "text", part);
  if (!isObject(part)) return [state, []];
  switch (part.type) {
    case "thinking": {
      const texts = listOf(part.thinking).map((inner) => textIn(inner) ?? "");
      return appendText(state, "thinking", texts.join("") || (filled(part.thinking) ?? ""));
    }
    case "refusal":
      return refusal(state, part);
    case "image_url":
      return image(state, part);
    default:
      return appendText(state, "text", filled(part.text) ?? "");
  }
}

function refusal(state: DecoderState, delta: Json): DecoderStep {
  const text = filled(delta.refusal);
  return text === null ? [state, []] : appendText({ ...state, refused: true }, "refusal", text);
}

const images: Decode = (state, delta) =>
  each(state, listOf(delta.images), (next, value) => (isObject(value) ? image(next, value) : [next, []]));

function image(state: DecoderState, { image_url: image }: Json): DecoderStep {
  const url = filled(isObject(image) ? image.url : image);
  if (url === null) return [state, []];
  const inline = readDataUrl(url);
  // What lies elsewhere can at least be looked up.
  if (inline === null) return appendText(state, "text", `![image](${url})`);
  return andThen(closeFinished(state), (closed) => say(closed, { kind: "media", ...inline }));
}

const toolCalls: Decode = (state, delta, context) =>
  each(state, listOf(delta.tool_calls), (next, value) => {
    const called = callDelta(value);
    return called === null ? [next, []] : toolCall(next, called, context);
  });

const functionCall: Decode = (state, delta, context) =>
  isObject(delta.function_call) ? toolCall(state, legacyDelta(delta.function_call), context) : [state, []];

/** No model calls so many tools at once; what follows is noise. */
const CALLS_MAX = 1_000;

function toolCall(state: DecoderState, delta: CallDelta, context: Context): DecoderStep {
  const found = continuedBy(state.calls, delta);
  const place = found === -1 ? state.calls.length : found;
  if (place >= CALLS_MAX) return [state, []];
  const call = withDelta(state.calls[place], delta);
  const calls = [...state.calls];
  calls[place] = call;
  const step = call.index === null ? openCall({ ...state, calls }, place, context) : say({ ...state, calls });
  return andThen(step, (next) => tellCall(next, place));
}

/** A call begins for others once its name is known. */
function openCall(state: DecoderState, place: number, { callId, names }: Context): DecoderStep {
  const call = state.calls[place];
  if (call?.name === null || call?.name === undefined) return [state, []];
  const name = names.toClient(call.name);
  const id = call.id ?? callId(place);
  return andThen(closeFinished(state), (closed) => {
    const index = closed.nextIndex;
    const calls = closed.calls.map((one, at) => (at === place ? { ...one, index } : one));
    const part = { kind: "tool_call", id, name } as const;
    return say({ ...closed, calls, nextIndex: index + 1 }, { kind: "open", index, part });
  });
}

function tellCall(state: DecoderState, place: number): DecoderStep {
  const call = state.calls[place];
  if (call === undefined) return [state, []];
  const [after, events] = told(call);
  if (after === call) return [state, []];
  return [{ ...state, calls: state.calls.map((one, at) => (at === place ? after : one)) }, events];
}

const FIELDS: readonly Decode[] = [reasoning, content, refusal, images, toolCalls, functionCall];

export function decodeDelta(state: DecoderState, delta: Json, context: Context): DecoderStep {
  let step: DecoderStep = [state, []];
  for (const decode of FIELDS) step = andThen(step, (next) => decode(next, delta, context));
  return step;
}
