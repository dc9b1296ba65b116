/** What a Gemini account answers, in the neutral form. Pure. */
import type { AnswerEvent, AnswerFacts, Bound, FinishReason } from "../../neutral.ts";
import { safeToolId, type ToolNames } from "../../tool-names.ts";
import { running, type AnswerDecoder, type Step } from "../../translate.ts";
import {
  readError,
  readMessage,
  type AnswerMessage,
  type AnswerPart,
  type Candidate,
} from "./answer-schema.ts";
import { readFinishReason } from "./finish-reasons.ts";
import { argsText } from "./parts.ts";
import { readSignature } from "./signatures.ts";
import { STATUS_NAMES } from "./statuses.ts";
import { answerUsage, isObject, modelOf } from "../usage.ts";

export interface DecoderContext {
  readonly facts: AnswerFacts;
  readonly names: ToolNames;
  /** Calls beyond this were not asked for and are left out; the model makes them again when it gets a result. */
  readonly callsMax: number;
}

interface State {
  readonly isStarted: boolean;
  readonly isFailed: boolean;
  /** The part that is open: calls are opened and closed at once. */
  readonly open: { readonly index: number; readonly kind: "text" | "thinking" } | null;
  /** Index of the next part. */
  readonly next: number;
  readonly calls: number;
  readonly finish: FinishReason | null;
}

const INITIAL: State = { isStarted: false, isFailed: false, open: null, next: 0, calls: 0, finish: null };

type Said = Step<State, AnswerEvent>;

export function createDecoder(context: DecoderContext): AnswerDecoder {
  const reducer = running(INITIAL, (state, data: unknown) => step(state, data, context));
  return {
    decode: ({ data }) => reducer.push(data),
    end: () => ending(reducer.state),
    whole(body) {
      const [state, events] = readAnswer(INITIAL, readMessage(body), context);
      return [...events, ...ending({ ...state, finish: state.finish ?? "stop" })];
    },
  };
}

/** No event ends an answer: it is whole when it gave its reason to finish. */
function ending(state: State): readonly AnswerEvent[] {
  if (state.finish === null || state.isFailed) return [];
  const reason = state.finish === "stop" && state.calls > 0 ? "tool_calls" : state.finish;
  return [...closing(state)[1], { kind: "finish", reason, stopSequence: null }, { kind: "end" }];
}

function step(state: State, data: unknown, context: DecoderContext): Said {
  if (state.isFailed) return [state, []];
  const error = readError(data);
  if (error !== null) {
    const type = error.status ?? STATUS_NAMES[error.code ?? 0] ?? "INTERNAL";
    return [{ ...state, isFailed: true }, [{ kind: "error", type, message: error.message ?? type }]];
  }
  return isObject(data) ? readAnswer(state, readMessage(data), context) : [state, []];
}

function readAnswer(state: State, message: AnswerMessage, context: DecoderContext): Said {
  // Only one is ever asked for.
  const candidate = message.candidates.find(({ index = 0 }) => index === 0);
  return chain(state, [
    (at) => starting(at, message),
    ...(candidate?.content?.parts ?? []).map((part) => (at: State) => readPart(at, part, context)),
    (at) => (candidate === undefined ? [at, []] : finishing(at, candidate)),
    (at) => blocking(at, message),
    (at) => [at, usageOf(message)],
  ]);
}

/** One step after the other. */
function chain(state: State, steps: readonly ((state: State) => Said)[]): Said {
  const said: AnswerEvent[] = [];
  let at = state;
  for (const take of steps) {
    const [next, events] = take(at);
    at = next;
    said.push(...events);
  }
  return [at, said];
}

function starting(state: State, { responseId, modelVersion }: AnswerMessage): Said {
  if (state.isStarted) return [state, []];
  return [
    { ...state, isStarted: true },
    [{ kind: "start", id: responseId ?? null, model: modelOf(modelVersion) }],
  ];
}

function usageOf({ usageMetadata }: AnswerMessage): readonly AnswerEvent[] {
  const isReported = usageMetadata !== undefined && Object.keys(usageMetadata).length > 0;
  return isReported ? [{ kind: "usage", usage: answerUsage(usageMetadata) }] : [];
}

function readPart(state: State, part: AnswerPart, context: DecoderContext): Said {
  if (part.functionCall !== undefined) return readCall(state, part, context);
  if (part.inlineData !== undefined) return readMedia(state, part);
  return part.thought === true ? readThought(state, part) : readText(state, part);
}

function closing(state: State): Said {
  if (state.open === null) return [state, []];
  return [{ ...state, open: null }, [{ kind: "close", index: state.open.index }]];
}

/** More of what is open, or something new. */
function saying(state: State, kind: "text" | "thinking", text: string): Said {
  if (state.open?.kind === kind) {
    return [state, text === "" ? [] : [{ kind: "delta", index: state.open.index, text }]];
  }
  const index = state.next;
  const [closed, events] = closing(state);
  const opening: AnswerEvent = {
    kind: "open",
    index,
    part: kind === "text" ? { kind } : { kind, redacted: false },
  };
  const delta: readonly AnswerEvent[] = text === "" ? [] : [{ kind: "delta", index, text }];
  return [{ ...closed, open: { index, kind }, next: index + 1 }, [...events, opening, ...delta]];
}

/** Words may be signed too, but no other client has a place for that, and Google does not insist on it. */
const readText = (state: State, { text = "" }: AnswerPart): Said =>
  text === "" ? [state, []] : saying(state, "text", text);

/** A thought of which only the signature is given. */
function signing(state: State, signature: Bound): Said {
  const index = state.next;
  const [closed, events] = closing(state);
  return [
    { ...closed, next: index + 1 },
    [
      ...events,
      { kind: "open", index, part: { kind: "thinking", redacted: true } },
      { kind: "signature", index, signature },
      { kind: "close", index },
    ],
  ];
}

/** A thought that is signed is over. */
function readThought(state: State, { text, thoughtSignature = "" }: AnswerPart): Said {
  const signature = readSignature(thoughtSignature);
  if (signature === null) return (text ?? "") === "" ? [state, []] : saying(state, "thinking", text ?? "");
  if (text === undefined) return signing(state, signature);
  return chain(state, [
    (at) => saying(at, "thinking", text),
    (at) => [at, at.open === null ? [] : [{ kind: "signature", index: at.open.index, signature }]],
    closing,
  ]);
}

/** A call arrives whole. */
function readCall(
  state: State,
  { functionCall, thoughtSignature = "" }: AnswerPart,
  { facts, names, callsMax }: DecoderContext,
): Said {
  if (functionCall === undefined || state.calls >= callsMax) return [state, []];
  const index = state.next;
  const [closed, events] = closing(state);
  const { id = "", name, args } = functionCall;
  const made = safeToolId(`call_${facts.id}_${String(state.calls)}`);
  const part = { kind: "tool_call", id: id === "" ? made : id, name: names.toClient(name) } as const;
  const signature = readSignature(thoughtSignature);
  return [
    { ...closed, next: index + 1, calls: state.calls + 1 },
    [
      ...events,
      { kind: "open", index, part },
      ...(signature === null ? [] : [{ kind: "signature", index, signature } as const]),
      { kind: "delta", index, text: argsText(args) },
      { kind: "close", index },
    ],
  ];
}

/** Pictures that are part of a thought are drafts. */
function readMedia(state: State, { inlineData, thought }: AnswerPart): Said {
  if (inlineData === undefined || thought === true) return [state, []];
  const [closed, events] = closing(state);
  return [closed, [...events, { kind: "media", mediaType: inlineData.mimeType, data: inlineData.data }]];
}

/** Why an answer stops otherwise than it should is said in words, which are a refusal's. */
function refusing(state: State, words: string): Said {
  const [closed, events] = closing({ ...state, finish: "refused" });
  if (words === "") return [closed, events];
  const index = closed.next;
  return [
    { ...closed, next: index + 1 },
    [
      ...events,
      { kind: "open", index, part: { kind: "refusal" } },
      { kind: "delta", index, text: words },
      { kind: "close", index },
    ],
  ];
}

function finishing(state: State, { finishReason, finishMessage = "" }: Candidate): Said {
  if (finishReason === undefined || state.finish !== null) return [state, []];
  const finish = readFinishReason(finishReason);
  return finish === "refused" ? refusing(state, finishMessage) : [{ ...state, finish }, []];
}

/** The model was not even asked. */
function blocking(state: State, { promptFeedback }: AnswerMessage): Said {
  const reason = promptFeedback?.blockReason ?? NO_BLOCK;
  if (reason === NO_BLOCK || state.finish !== null) return [state, []];
  return refusing(state, promptFeedback?.blockReasonMessage ?? "");
}

const NO_BLOCK = "BLOCK_REASON_UNSPECIFIED";
