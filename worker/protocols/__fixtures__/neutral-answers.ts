/** Answers as models give them, in the neutral form, and what of them every dialect must keep. */
import fc from "fast-check";
import type { AnswerEvent, AnswerFacts, AnswerUsage, FinishReason } from "../neutral.ts";

export const FACTS: AnswerFacts = { id: "req_0123456789", model: "some-model", now: 1_790_000_000_000 };

const piece = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 });
const id = fc.stringMatching(/^[A-Za-z0-9_-]{6,40}$/);
const toolName = fc.stringMatching(/^[a-z][a-z0-9_]{2,30}$/);
const count = fc.integer({ min: 0, max: 100_000 });

interface Spoken {
  readonly thinking: readonly string[];
  readonly text: readonly string[];
  readonly calls: readonly { readonly id: string; readonly name: string; readonly value: string }[];
  readonly usage: AnswerUsage;
  readonly reason: FinishReason;
}

const spoken: fc.Arbitrary<Spoken> = fc
  .record({
    thinking: fc.array(piece, { maxLength: 3 }),
    text: fc.array(piece, { maxLength: 4 }),
    calls: fc.uniqueArray(fc.record({ id, name: toolName, value: piece }), {
      maxLength: 3,
      selector: (call) => call.id,
    }),
    usage: fc.record({ input: count, cacheRead: count, output: count }),
    reason: fc.constantFrom("stop", "length", "refused"),
  })
  .map(({ usage, ...rest }) => ({
    ...rest,
    reason: rest.calls.length > 0 ? "tool_calls" : rest.reason,
    usage: { ...usage, cacheWrite: 0, reasoning: 0 },
  }));

/** Arguments come in pieces that are no JSON by themselves. */
const argumentPieces = (value: string): string[] => {
  const json = JSON.stringify({ value });
  return [json.slice(0, 5), json.slice(5)];
};

function eventsOf({ thinking, text, calls, usage, reason }: Spoken): AnswerEvent[] {
  const events: AnswerEvent[] = [{ kind: "start", id: null, model: null }];
  let index = 0;
  const part = (open: Extract<AnswerEvent, { kind: "open" }>["part"], pieces: readonly string[]) => {
    events.push({ kind: "open", index, part: open });
    for (const delta of pieces) events.push({ kind: "delta", index, text: delta });
    events.push({ kind: "close", index });
    index++;
  };
  if (thinking.length > 0) part({ kind: "thinking", redacted: false }, thinking);
  if (text.length > 0) part({ kind: "text" }, text);
  for (const call of calls)
    part({ kind: "tool_call", id: call.id, name: call.name }, argumentPieces(call.value));
  events.push({ kind: "usage", usage }, { kind: "finish", reason, stopSequence: null }, { kind: "end" });
  return events;
}

/** Whole answers: thinking, then text, then calls, any of them absent. */
export const answers: fc.Arbitrary<readonly AnswerEvent[]> = spoken.map(eventsOf);

export interface Told {
  readonly thinking: string;
  readonly text: string;
  readonly refusal: string;
  readonly calls: readonly { readonly id: string; readonly name: string; readonly arguments: unknown }[];
  readonly media: number;
  readonly usage: AnswerUsage | null;
  readonly reason: FinishReason | null;
  readonly error: string | null;
  readonly ended: boolean;
}

/** What an answer comes to, however it was cut into events. Checks that the events keep their order. */
export function toldBy(events: readonly AnswerEvent[]): Told {
  const texts = { thinking: "", text: "", refusal: "" };
  const calls = new Map<number, { id: string; name: string; json: string }>();
  const open = new Map<number, string>();
  let [media, ended] = [0, false];
  let usage: AnswerUsage | null = null;
  let reason: FinishReason | null = null;
  let error: string | null = null;
  for (const event of events) {
    if (ended) throw new Error(`${event.kind} after the end`);
    switch (event.kind) {
      case "start":
        break;
      case "open":
        if (open.has(event.index) || calls.has(event.index)) throw new Error("opened twice");
        open.set(event.index, event.part.kind);
        if (event.part.kind === "tool_call")
          calls.set(event.index, { id: event.part.id, name: event.part.name, json: "" });
        break;
      case "delta": {
        const kind = open.get(event.index);
        const call = calls.get(event.index);
        if (kind === undefined) throw new Error("a delta of what is not open");
        if (call !== undefined) call.json += event.text;
        else texts[kind as keyof typeof texts] += event.text;
        break;
      }
      case "signature":
        if (!open.has(event.index)) throw new Error("a signature of what is not open");
        break;
      case "close":
        if (!open.delete(event.index)) throw new Error("closed twice");
        break;
      case "media":
        media++;
        break;
      case "usage":
        ({ usage } = event);
        break;
      case "finish":
        if (open.size > 0) throw new Error("finished with a part open");
        ({ reason } = event);
        break;
      case "end":
        ended = true;
        break;
      case "error":
        error = event.message;
        ended = true;
        break;
    }
  }
  return {
    ...texts,
    calls: [...calls.values()].map(({ json, ...call }) => ({
      ...call,
      arguments: JSON.parse(json === "" ? "{}" : json) as unknown,
    })),
    media,
    usage,
    reason,
    error,
    ended,
  };
}
