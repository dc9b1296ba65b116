/** A complete answer as one message. Pure. */
import {
  boundText,
  type AnswerEvent,
  type AnswerFacts,
  type AnswerUsage,
  type Bound,
  type FinishReason,
  type OpenPart,
} from "../../neutral.ts";
import { NO_ANSWER_USAGE, STOP_REASONS } from "./answer-usage.ts";
import { callSignatureText } from "./call-signature.ts";
import { mediaNote, messageStart, usageOf } from "./encode-answer-parts.ts";
import { argumentsOf } from "./json.ts";

interface SpokenPart {
  readonly part: OpenPart;
  text: string;
  signature: Bound | null;
}

interface Spoken {
  readonly parts: SpokenPart[];
  usage: AnswerUsage;
  reason: FinishReason;
  stopSequence: string | null;
}

export function wholeAnswer(events: readonly AnswerEvent[], facts: AnswerFacts): string {
  const { parts, usage, reason, stopSequence } = spokenBy(events);
  return JSON.stringify({
    ...messageStart(facts),
    content: parts.flatMap(blocksOf),
    stop_reason: STOP_REASONS[reason],
    stop_sequence: stopSequence,
    usage: usageOf(usage),
  });
}

function spokenBy(events: readonly AnswerEvent[]): Spoken {
  const spoken: Spoken = { parts: [], usage: NO_ANSWER_USAGE, reason: "stop", stopSequence: null };
  const byIndex = new Map<number, SpokenPart>();
  for (const event of events) add(spoken, byIndex, event);
  return spoken;
}

function add(spoken: Spoken, byIndex: Map<number, SpokenPart>, event: AnswerEvent): void {
  switch (event.kind) {
    case "open": {
      const part: SpokenPart = { part: event.part, text: "", signature: null };
      byIndex.set(event.index, part);
      spoken.parts.push(part);
      return;
    }
    case "delta": {
      const part = byIndex.get(event.index);
      if (part !== undefined) part.text += event.text;
      return;
    }
    case "signature": {
      const part = byIndex.get(event.index);
      if (part !== undefined) part.signature = event.signature;
      return;
    }
    case "media":
      spoken.parts.push({ part: { kind: "text" }, text: mediaNote(event), signature: null });
      return;
    case "usage":
      spoken.usage = event.usage;
      return;
    case "finish":
      spoken.reason = event.reason;
      spoken.stopSequence = event.stopSequence;
      return;
    case "start":
    case "close":
    case "end":
    case "error":
      return;
  }
}

function blocksOf({ part, text, signature }: SpokenPart): readonly unknown[] {
  switch (part.kind) {
    case "text":
    case "refusal":
      return [{ type: "text", text, citations: null }];
    case "thinking":
      return thinkingBlocks(part.redacted, text, signature === null ? "" : boundText(signature, "anthropic"));
    case "tool_call": {
      const call = { type: "tool_use", id: part.id, name: part.name, input: argumentsOf(text) };
      if (signature === null) return [call];
      return [{ type: "thinking", thinking: "", signature: callSignatureText(part.id, signature) }, call];
    }
  }
}

function thinkingBlocks(isRedacted: boolean, thinking: string, signature: string): readonly unknown[] {
  if (!isRedacted) return [{ type: "thinking", thinking, signature }];
  return signature === "" ? [] : [{ type: "redacted_thinking", data: signature }];
}
