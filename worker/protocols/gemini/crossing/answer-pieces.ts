/** What a Gemini client is told of an answer, piece by piece. Pure. */
import type { AnswerEvent, AnswerFacts, AnswerUsage, Bound, FinishReason, OpenPart } from "../../neutral.ts";
import type { Step } from "../../translate.ts";
import { FINISH_REASONS } from "./finish-reasons.ts";
import { argsOf, type WrittenPart } from "./parts.ts";
import { signatureText } from "./signatures.ts";
import { statusOfType } from "./statuses.ts";

/** What is said between two events: a part, or the last word. */
export type Piece =
  | { readonly kind: "part"; readonly part: WrittenPart }
  | { readonly kind: "last"; readonly reason: FinishReason; readonly usage: AnswerUsage | null }
  | { readonly kind: "error"; readonly type: string; readonly message: string };

interface OpenCall {
  readonly kind: "tool_call";
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
  readonly signature: Bound | null;
}

/** Calls must be whole when they are said; of everything else only the kind matters. */
type Open = OpenCall | Exclude<OpenPart, { readonly kind: "tool_call" }>;

export interface AnswerState {
  readonly open: ReadonlyMap<number, Open>;
  readonly usage: AnswerUsage | null;
  readonly reason: FinishReason;
}

export const NOTHING_SAID: AnswerState = { open: new Map(), usage: null, reason: "stop" };

type Said = Step<AnswerState, Piece>;

export function sayEvent(state: AnswerState, event: AnswerEvent): Said {
  switch (event.kind) {
    case "start":
      return [state, []];
    case "open":
      return [withOpen(state, event.index, opened(event.part)), []];
    case "delta":
      return sayDelta(state, event.index, event.text);
    case "signature":
      return saySignature(state, event.index, event.signature);
    case "close":
      return sayClose(state, event.index);
    case "media":
      return [state, [partOf({ inlineData: { mimeType: event.mediaType, data: event.data } })]];
    case "usage":
      return [{ ...state, usage: event.usage }, []];
    case "finish":
      return [{ ...state, reason: event.reason }, []];
    case "end":
      return [state, [{ kind: "last", reason: state.reason, usage: state.usage }]];
    case "error":
      return [state, [event]];
  }
}

const partOf = (part: WrittenPart): Piece => ({ kind: "part", part });

const opened = (part: OpenPart): Open =>
  part.kind === "tool_call" ? { ...part, arguments: "", signature: null } : part;

const withOpen = (state: AnswerState, index: number, part: Open): AnswerState => ({
  ...state,
  open: new Map(state.open).set(index, part),
});

/** A refusal has no words of its own here: they are the answer's, and the reason to finish tells. */
function sayDelta(state: AnswerState, index: number, text: string): Said {
  const part = state.open.get(index);
  if (part === undefined || text === "") return [state, []];
  if (part.kind === "tool_call") {
    return [withOpen(state, index, { ...part, arguments: part.arguments + text }), []];
  }
  return [state, [partOf(part.kind === "thinking" ? { text, thought: true } : { text })]];
}

/** In a part of its own, as Gemini's streams do. Redacted thoughts have no text, not even an empty one. */
function saySignature(state: AnswerState, index: number, signature: Bound): Said {
  const part = state.open.get(index);
  if (part === undefined) return [state, []];
  if (part.kind === "tool_call") return [withOpen(state, index, { ...part, signature }), []];
  if (part.kind !== "thinking") return [state, []];
  const thoughtSignature = signatureText(signature);
  return [state, [partOf({ ...(part.redacted ? {} : { text: "" }), thought: true, thoughtSignature })]];
}

function sayClose(state: AnswerState, index: number): Said {
  const part = state.open.get(index);
  const open = new Map(state.open);
  open.delete(index);
  return [{ ...state, open }, part?.kind === "tool_call" ? [partOf(callPart(part))] : []];
}

const callPart = ({ id, name, arguments: args, signature }: OpenCall): WrittenPart => ({
  functionCall: { id, name, args: argsOf(args) },
  ...(signature === null ? {} : { thoughtSignature: signatureText(signature) }),
});

/** As Gemini itself has it. Without any part, the chats of Google's SDK take the turn for broken and forget it. */
const NO_WORDS: WrittenPart = { text: "" };

/** A piece as a message of a stream. */
export function messageOf(piece: Piece, facts: AnswerFacts): object {
  if (piece.kind === "error") return { error: { ...statusOfType(piece.type), message: piece.message } };
  return piece.kind === "part" ? answerOf([piece.part], {}, facts) : lastOf([NO_WORDS], piece, facts);
}

/** @param more of the candidate */
const answerOf = (parts: readonly WrittenPart[], more: object, { id, model }: AnswerFacts) => ({
  candidates: [{ content: { role: "model", parts }, ...more, index: 0 }],
  modelVersion: model,
  responseId: id,
});

type Last = Extract<Piece, { readonly kind: "last" }>;

/** The message that ends a stream, or the whole of an answer. */
export const lastOf = (
  parts: readonly WrittenPart[],
  { reason, usage }: Last,
  facts: AnswerFacts,
): object => ({
  ...answerOf(parts, { finishReason: FINISH_REASONS[reason] }, facts),
  ...(usage === null ? {} : { usageMetadata: usageMetadata(usage) }),
});

/** Google counts what was cached into the prompt, and thoughts beside what is said. */
function usageMetadata({ input, cacheRead, cacheWrite, output, reasoning }: AnswerUsage): object {
  const promptTokenCount = input + cacheRead + cacheWrite;
  return {
    promptTokenCount,
    ...(cacheRead === 0 ? {} : { cachedContentTokenCount: cacheRead }),
    candidatesTokenCount: output - reasoning,
    ...(reasoning === 0 ? {} : { thoughtsTokenCount: reasoning }),
    totalTokenCount: promptTokenCount + output,
  };
}
