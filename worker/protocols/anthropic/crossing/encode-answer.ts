/** An answer in the neutral form as Claude's clients get it. Pure. */
import {
  boundText,
  type AnswerEvent,
  type AnswerFacts,
  type AnswerUsage,
  type OpenPart,
} from "../../neutral.ts";
import { running, type AnswerEncoder, type Step } from "../../translate.ts";
import { NO_ANSWER_USAGE, STOP_REASONS, usageFields } from "./answer-usage.ts";
import { callSignatureText } from "./call-signature.ts";
import { errorBody, mediaNote, messageStart } from "./encode-answer-parts.ts";
import { wholeAnswer } from "./encode-answer-whole.ts";

/** A block the client was told of, by its index there; `waiting` has nothing to tell yet but what it is. */
type Told = { readonly kind: "open"; readonly at: number } | { readonly kind: "waiting" };

interface EncodeState {
  /** By the neutral index. */
  readonly parts: ReadonlyMap<number, { readonly part: OpenPart; readonly told: Told }>;
  readonly nextBlock: number;
  readonly usage: AnswerUsage;
  readonly finish: Extract<AnswerEvent, { kind: "finish" }> | null;
}

const INITIAL: EncodeState = { parts: new Map(), nextBlock: 0, usage: NO_ANSWER_USAGE, finish: null };

type EncodeStep = Step<EncodeState, string>;

export function createEncoder(facts: AnswerFacts): AnswerEncoder {
  const answer = running(INITIAL, (state: EncodeState, event: AnswerEvent) => step(state, event, facts));
  return {
    streamType: "text/event-stream",
    encode: (event) => answer.push(event).join(""),
    whole: (events) => wholeAnswer(events, facts),
  };
}

interface SentEvent {
  readonly type: string;
  readonly [field: string]: unknown;
}

const sent = (event: SentEvent): string => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

function step(state: EncodeState, event: AnswerEvent, facts: AnswerFacts): EncodeStep {
  switch (event.kind) {
    case "start":
      return [state, [sent({ type: "message_start", message: messageStart(facts) })]];
    case "open":
      return onOpen(state, event.index, event.part);
    case "delta":
      return onDelta(state, event.index, event.text);
    case "signature":
      return onSignature(state, event);
    case "close":
      return onClose(state, event.index);
    case "media":
      return onMedia(state, event);
    case "usage":
      return [{ ...state, usage: event.usage }, []];
    case "finish":
      // Figures may still follow, and clients are told once.
      return [{ ...state, finish: event }, []];
    case "end":
      return onEnd(state);
    case "error":
      return [state, [sent(errorBody(event))]];
  }
}

/** Text begins at once. A call may be signed, and thinking may be all signature: what follows tells. */
function onOpen(state: EncodeState, index: number, part: OpenPart): EncodeStep {
  const waiting = { ...state, parts: new Map(state.parts).set(index, { part, told: WAITING }) };
  return part.kind === "tool_call" || (part.kind === "thinking" && part.redacted)
    ? [waiting, []]
    : told(waiting, index);
}

const WAITING = { kind: "waiting" } as const;

/** Tells the client that a part begins, if it does not know. */
function told(state: EncodeState, index: number): EncodeStep {
  const known = state.parts.get(index);
  if (known === undefined || known.told.kind === "open") return [state, []];
  return begin(state, index, blockStart(known.part));
}

function begin(state: EncodeState, index: number, content_block: SentEvent): EncodeStep {
  const known = state.parts.get(index);
  if (known === undefined) return [state, []];
  const at = state.nextBlock;
  const parts = new Map(state.parts).set(index, { ...known, told: { kind: "open", at } });
  return [
    { ...state, parts, nextBlock: at + 1 },
    [sent({ type: "content_block_start", index: at, content_block })],
  ];
}

function blockStart(part: OpenPart): SentEvent {
  switch (part.kind) {
    case "text":
    case "refusal":
      return { type: "text", text: "", citations: null };
    case "thinking":
      return { type: "thinking", thinking: "", signature: "" };
    case "tool_call":
      return { type: "tool_use", id: part.id, name: part.name, input: {} };
  }
}

function onDelta(before: EncodeState, index: number, text: string): EncodeStep {
  const [state, begun] = told(before, index);
  const known = state.parts.get(index);
  if (known?.told.kind !== "open") return [state, begun];
  const delta = sent({ type: "content_block_delta", index: known.told.at, delta: deltaOf(known.part, text) });
  return [state, [...begun, delta]];
}

function deltaOf({ kind }: OpenPart, text: string): SentEvent {
  switch (kind) {
    case "text":
    case "refusal":
      return { type: "text_delta", text };
    case "thinking":
      return { type: "thinking_delta", thinking: text };
    case "tool_call":
      return { type: "input_json_delta", partial_json: text };
  }
}

function onSignature(
  state: EncodeState,
  { index, signature }: Extract<AnswerEvent, { kind: "signature" }>,
): EncodeStep {
  const known = state.parts.get(index);
  if (known === undefined) return [state, []];
  const text = boundText(signature, "anthropic");
  switch (known.part.kind) {
    case "tool_call":
      return signedCall(state, index, callSignatureText(known.part.id, signature));
    case "thinking":
      return known.told.kind === "open"
        ? [state, [signatureDelta(known.told.at, text)]]
        : begin(state, index, { type: "redacted_thinking", data: text });
    case "text":
    case "refusal":
      return [state, []];
  }
}

const signatureDelta = (index: number, signature: string): string =>
  sent({ type: "content_block_delta", index, delta: { type: "signature_delta", signature } });

/** A thinking block of its own, before the call where it is not told yet. */
function signedCall(state: EncodeState, index: number, signature: string): EncodeStep {
  const at = state.nextBlock;
  const content_block = blockStart({ kind: "thinking", redacted: false });
  const block = [
    sent({ type: "content_block_start", index: at, content_block }),
    signatureDelta(at, signature),
    sent({ type: "content_block_stop", index: at }),
  ];
  const [next, begun] = told({ ...state, nextBlock: at + 1 }, index);
  return [next, [...block, ...begun]];
}

function onClose(before: EncodeState, index: number): EncodeStep {
  const [state, begun] = toldAtLast(before, index);
  const known = state.parts.get(index);
  const parts = new Map(state.parts);
  parts.delete(index);
  const stop =
    known?.told.kind === "open" ? [sent({ type: "content_block_stop", index: known.told.at })] : [];
  return [{ ...state, parts }, [...begun, ...stop]];
}

/** Hidden thinking without a signature is nothing at all. */
const toldAtLast = (state: EncodeState, index: number): EncodeStep =>
  state.parts.get(index)?.part.kind === "thinking" ? [state, []] : told(state, index);

/** Claude's clients know no pictures in answers. */
function onMedia(state: EncodeState, media: Extract<AnswerEvent, { kind: "media" }>): EncodeStep {
  const index = state.nextBlock;
  const block = [
    sent({ type: "content_block_start", index, content_block: blockStart({ kind: "text" }) }),
    sent({ type: "content_block_delta", index, delta: { type: "text_delta", text: mediaNote(media) } }),
    sent({ type: "content_block_stop", index }),
  ];
  return [{ ...state, nextBlock: index + 1 }, block];
}

function onEnd(state: EncodeState): EncodeStep {
  const { finish, usage } = state;
  const delta = {
    stop_reason: STOP_REASONS[finish?.reason ?? "stop"],
    stop_sequence: finish?.stopSequence ?? null,
    stop_details: null,
    container: null,
  };
  return [
    state,
    [
      sent({ type: "message_delta", delta, usage: { ...usageFields(usage), server_tool_use: null } }),
      sent({ type: "message_stop" }),
    ],
  ];
}
