/** What is open of an answer that is being read, and how parts of it open and close. Pure. */
import type { AnswerEvent, FinishReason, OpenPart } from "../../neutral.ts";
import type { ToolNames } from "../../tool-names.ts";
import type { Step } from "../../translate.ts";
import { isDone, type CallState } from "./decode-calls.ts";
import { boundField, type TextField } from "./reasoning.ts";

/** The part that goes on until another begins; calls may stand open beside it. */
export interface CurrentPart {
  readonly kind: "text" | "thinking" | "refusal";
  readonly index: number;
  /** Where its text came from, if its upstream wants it back there. */
  readonly field: TextField | null;
  /** Its text came in a field of its own, so details that follow only repeat it. */
  readonly isPlain: boolean;
}

export interface DecoderState {
  readonly started: boolean;
  readonly ended: boolean;
  readonly nextIndex: number;
  readonly current: CurrentPart | null;
  readonly calls: readonly CallState[];
  readonly refused: boolean;
  readonly reason: FinishReason | null;
  readonly stopSequence: string | null;
}

export const EMPTY_STATE: DecoderState = {
  started: false,
  ended: false,
  nextIndex: 0,
  current: null,
  calls: [],
  refused: false,
  reason: null,
  stopSequence: null,
};

/** What a decoder knows of the call it belongs to. */
export interface Context {
  /** For a call that has none. */
  readonly callId: (position: number) => string;
  readonly names: ToolNames;
  readonly stop: readonly string[];
}

export type DecoderStep = Step<DecoderState, AnswerEvent>;

export function andThen([state, out]: DecoderStep, next: (state: DecoderState) => DecoderStep): DecoderStep {
  const [after, more] = next(state);
  if (out.length === 0) return [after, more];
  return [after, more.length === 0 ? out : [...out, ...more]];
}

export const say = (state: DecoderState, ...events: readonly AnswerEvent[]): DecoderStep => [state, events];

/** Closes what cannot go on beside a new part. */
export function closeFinished(state: DecoderState): DecoderStep {
  return andThen(closeCurrent(state), (next) => closeCalls(next, isDone));
}

export const closeAll = (state: DecoderState): DecoderStep =>
  andThen(closeCurrent(state), (next) => closeCalls(next, ({ index, closed }) => index !== null && !closed));

export function closeCurrent(state: DecoderState): DecoderStep {
  const { current } = state;
  if (current === null) return [state, []];
  const { index, field } = current;
  const back: AnswerEvent[] =
    field === null ? [] : [{ kind: "signature", index, signature: boundField(field) }];
  return say({ ...state, current: null }, ...back, { kind: "close", index });
}

function closeCalls(state: DecoderState, isOver: (call: CallState) => boolean): DecoderStep {
  const over = state.calls.filter(isOver);
  if (over.length === 0) return [state, []];
  const calls = state.calls.map((call) => (over.includes(call) ? { ...call, closed: true } : call));
  const closed = over.flatMap(({ index }): readonly AnswerEvent[] =>
    index === null ? [] : [{ kind: "close", index }],
  );
  return say({ ...state, calls }, ...closed);
}

/** Goes on with the part under way if it is of this kind, else begins one. */
export function ensureCurrent(
  state: DecoderState,
  kind: CurrentPart["kind"],
  field: TextField | null = null,
): DecoderStep {
  if (state.current?.kind === kind) return [state, []];
  return andThen(closeFinished(state), (closed) => {
    const index = closed.nextIndex;
    const part: OpenPart = kind === "thinking" ? { kind, redacted: false } : { kind };
    return say(
      { ...closed, nextIndex: index + 1, current: { kind, index, field, isPlain: false } },
      { kind: "open", index, part },
    );
  });
}

export function appendText(
  state: DecoderState,
  kind: CurrentPart["kind"],
  text: string,
  field: TextField | null = null,
): DecoderStep {
  if (text === "") return [state, []];
  return andThen(ensureCurrent(state, kind, field), (next) =>
    next.current === null ? [next, []] : say(next, { kind: "delta", index: next.current.index, text }),
  );
}
