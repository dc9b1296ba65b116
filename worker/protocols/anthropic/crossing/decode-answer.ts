/** Claude's answer, streamed or whole, in the neutral form. It never throws on what an upstream may send. Pure. */
import { EMPTY_READING, type UsageReading } from "../../../domain/usage.ts";
import type { AnswerEvent, AnswerFacts, OpenPart } from "../../neutral.ts";
import { running, type AnswerDecoder, type Step, type StreamMessage } from "../../translate.ts";
import { answerUsage, finishReason, NO_ANSWER_USAGE } from "./answer-usage.ts";
import { isObject, listOf, objectOf, textOf, type Json } from "./json.ts";
import { addUsage } from "../usage.ts";

interface OpenBlock {
  readonly index: number;
  readonly kind: OpenPart["kind"];
  /** A call's arguments, where they came at once and not in deltas. */
  readonly input: string;
}

interface AnswerState {
  readonly phase: "waiting" | "open" | "finished" | "ended";
  /** By the upstream's index; blocks that nobody can be told of are not among them. */
  readonly blocks: ReadonlyMap<number, OpenBlock>;
  readonly nextIndex: number;
  readonly hasCalls: boolean;
  readonly reading: UsageReading;
  readonly reasoning: number;
}

const INITIAL: AnswerState = {
  phase: "waiting",
  blocks: new Map(),
  nextIndex: 0,
  hasCalls: false,
  reading: EMPTY_READING,
  reasoning: NO_ANSWER_USAGE.reasoning,
};

type AnswerStep = Step<AnswerState, AnswerEvent>;
type ToClient = (toolName: string) => string;
type Handler = (state: AnswerState, data: Json, context: DecodeContext) => AnswerStep;

interface DecodeContext {
  readonly facts: AnswerFacts;
  readonly toClient: ToClient;
}

export function createDecoder(facts: AnswerFacts, toClient: ToClient): AnswerDecoder {
  const context = { facts, toClient };
  const answer = running(INITIAL, (state: AnswerState, data: unknown) => step(state, data, context));
  return {
    decode: ({ data }: StreamMessage) => answer.push(data),
    // The end is `message_stop` and nothing else.
    end: () => [],
    whole: (body) => messagesOf(body).flatMap((data) => answer.push(data)),
  };
}

function step(state: AnswerState, data: unknown, context: DecodeContext): AnswerStep {
  if (!isObject(data) || state.phase === "ended") return [state, []];
  const type = textOf(data.type);
  const handle = Object.hasOwn(HANDLERS, type) ? HANDLERS[type] : undefined;
  return handle === undefined ? [state, []] : handle(state, data, context);
}

function onStart(state: AnswerState, data: Json): AnswerStep {
  if (state.phase !== "waiting") return [state, []];
  const message = objectOf(data.message);
  const start: AnswerEvent = {
    kind: "start",
    id: textOf(message.id) || null,
    model: textOf(message.model) || null,
  };
  const [next, usage] = withUsage({ ...state, phase: "open" }, message.usage);
  return [next, [start, ...usage]];
}

/** Content without a `message_start` before it: the answer begins with it. */
const begun = (state: AnswerState): AnswerStep =>
  state.phase === "waiting" ? onStart(state, {}) : [state, []];

function withUsage(state: AnswerState, usage: unknown): AnswerStep {
  if (!isObject(usage)) return [state, []];
  const reading = addUsage(state.reading, usage);
  const told = answerUsage(reading, usage, state.reasoning);
  return [{ ...state, reading, reasoning: told.reasoning }, [{ kind: "usage", usage: told }]];
}

function onBlockStart(before: AnswerState, data: Json, context: DecodeContext): AnswerStep {
  if (before.phase === "finished" || typeof data.index !== "number") return [before, []];
  const [state, started] = closing(...begun(before), data.index);
  const block = objectOf(data.content_block);
  const part = partOf(block, state, context);
  if (part === null) return [state, started];
  const index = state.nextIndex;
  const opened: AnswerState = {
    ...state,
    blocks: new Map(state.blocks).set(data.index, { index, kind: part.kind, input: inputOf(block) }),
    nextIndex: index + 1,
    hasCalls: state.hasCalls || part.kind === "tool_call",
  };
  return [opened, [...started, { kind: "open", index, part }, ...firstWords(block, index)]];
}

function partOf(
  block: Json,
  { nextIndex }: AnswerState,
  { facts, toClient }: DecodeContext,
): OpenPart | null {
  switch (block.type) {
    case "text":
      return { kind: "text" };
    case "thinking":
      return { kind: "thinking", redacted: false };
    case "redacted_thinking":
      return { kind: "thinking", redacted: true };
    case "tool_use": {
      const id = textOf(block.id) || `toolu_${facts.id}_${String(nextIndex)}`;
      return { kind: "tool_call", id, name: toClient(textOf(block.name)) };
    }
    default:
      return null;
  }
}

/** In a stream a block begins empty; in a whole answer it is all there. */
function firstWords(block: Json, index: number): AnswerEvent[] {
  const text = textOf(block.type === "thinking" ? block.thinking : block.text);
  const signature = textOf(block.type === "redacted_thinking" ? block.data : block.signature);
  return [...deltas(index, block.type === "tool_use" ? "" : text), ...signatures(index, signature)];
}

const deltas = (index: number, text: string): AnswerEvent[] =>
  text === "" ? [] : [{ kind: "delta", index, text }];

const signatures = (index: number, data: string): AnswerEvent[] =>
  data === "" ? [] : [{ kind: "signature", index, signature: { origin: "anthropic", data } }];

const inputOf = ({ type, input }: Json): string =>
  type === "tool_use" && isObject(input) && Object.keys(input).length > 0 ? JSON.stringify(input) : "";

/** The field in which a delta of each kind has its text. */
const DELTA_FIELDS: Readonly<Record<string, readonly [kind: OpenPart["kind"], field: string]>> = {
  text_delta: ["text", "text"],
  thinking_delta: ["thinking", "thinking"],
  input_json_delta: ["tool_call", "partial_json"],
};

function onBlockDelta(state: AnswerState, data: Json): AnswerStep {
  const block = typeof data.index === "number" ? state.blocks.get(data.index) : undefined;
  if (block === undefined || typeof data.index !== "number") return [state, []];
  const delta = objectOf(data.delta);
  const type = textOf(delta.type);
  if (type === "signature_delta" && block.kind === "thinking") {
    return [state, signatures(block.index, textOf(delta.signature))];
  }
  const [kind, field] = (Object.hasOwn(DELTA_FIELDS, type) ? DELTA_FIELDS[type] : undefined) ?? [];
  if (kind !== block.kind || field === undefined) return [state, []];
  const events = deltas(block.index, textOf(delta[field]));
  if (block.input === "" || events.length === 0) return [state, events];
  return [{ ...state, blocks: new Map(state.blocks).set(data.index, { ...block, input: "" }) }, events];
}

const onBlockStop: Handler = (state, data) =>
  typeof data.index === "number" ? closing(state, [], data.index) : [state, []];

/** Closes a block if it is open. */
function closing(state: AnswerState, said: readonly AnswerEvent[], at: number): AnswerStep {
  const block = state.blocks.get(at);
  if (block === undefined) return [state, said];
  const blocks = new Map(state.blocks);
  blocks.delete(at);
  const { index, input } = block;
  return [{ ...state, blocks }, [...said, ...deltas(index, input), { kind: "close", index }]];
}

const closingAll = (before: AnswerStep): AnswerStep =>
  [...before[0].blocks.keys()].reduce<AnswerStep>(([state, said], at) => closing(state, said, at), before);

function onMessageDelta(before: AnswerState, data: Json): AnswerStep {
  const [begunState, started] = begun(before);
  const [state, usage] = withUsage(begunState, data.usage);
  const { stop_reason, stop_sequence, stop_details } = objectOf(data.delta);
  if (typeof stop_reason !== "string" || state.phase === "finished") return [state, [...started, ...usage]];
  const [closed, said] = closingAll([state, [...started, ...usage]]);
  const [refused, words] = refusal(closed, stop_details);
  return finished([refused, [...said, ...words]], stop_reason, stop_sequence);
}

/** What Anthropic says of a refusal, for people to read. */
function refusal(state: AnswerState, details: unknown): AnswerStep {
  const text = textOf(objectOf(details).explanation);
  if (text === "") return [state, []];
  const index = state.nextIndex;
  return [
    { ...state, nextIndex: index + 1 },
    [
      { kind: "open", index, part: { kind: "refusal" } },
      { kind: "delta", index, text },
      { kind: "close", index },
    ],
  ];
}

function finished([state, said]: AnswerStep, stopReason: string, stopSequence: unknown): AnswerStep {
  const reason = finishReason(stopReason);
  const sequence = reason === "stop_sequence" ? textOf(stopSequence) || null : null;
  return [{ ...state, phase: "finished" }, [...said, { kind: "finish", reason, stopSequence: sequence }]];
}

function onStop(before: AnswerState): AnswerStep {
  const all = closingAll(begun(before));
  const [state, said] =
    all[0].phase === "finished" ? all : finished(all, all[0].hasCalls ? "tool_use" : "end_turn", null);
  return [{ ...state, phase: "ended" }, [...said, { kind: "end" }]];
}

function onError(state: AnswerState, data: Json): AnswerStep {
  const error = objectOf(data.error);
  const type = textOf(error.type) || "api_error";
  const message = textOf(error.message) || "The upstream reported an error.";
  return [{ ...state, phase: "ended" }, [{ kind: "error", type, message }]];
}

const HANDLERS: Readonly<Record<string, Handler>> = {
  message_start: onStart,
  content_block_start: onBlockStart,
  content_block_delta: onBlockDelta,
  content_block_stop: onBlockStop,
  message_delta: onMessageDelta,
  message_stop: onStop,
  error: onError,
};

/** A whole answer as the events that would have streamed it. */
function messagesOf(body: unknown): readonly Json[] {
  if (!isObject(body)) return [];
  if (body.type === "error") return [body];
  const { stop_reason, stop_sequence, stop_details, usage } = body;
  return [
    { type: "message_start", message: { id: body.id, model: body.model } },
    ...listOf(body.content).flatMap((content_block, index) => [
      { type: "content_block_start", index, content_block },
      { type: "content_block_stop", index },
    ]),
    { type: "message_delta", delta: { stop_reason, stop_sequence, stop_details }, usage },
    { type: "message_stop" },
  ];
}
