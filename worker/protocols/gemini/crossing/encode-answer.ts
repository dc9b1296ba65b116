/** Speaks an answer to a Gemini client: as server-sent events, as a JSON array that grows, or whole. Pure. */
import type { AnswerEvent, AnswerFacts } from "../../neutral.ts";
import type { ClientCall, ElementFrame } from "../../protocol.ts";
import { running, type AnswerEncoder } from "../../translate.ts";
import { NOTHING_SAID, lastOf, messageOf, sayEvent } from "./answer-pieces.ts";
import type { WrittenPart } from "./parts.ts";

export function createEncoder({ query }: ClientCall, facts: AnswerFacts): AnswerEncoder {
  return new URLSearchParams(query).get("alt") === "sse" ? sseEncoder(facts) : new ArrayEncoder(facts);
}

function sseEncoder(facts: AnswerFacts): AnswerEncoder {
  const answer = running(NOTHING_SAID, sayEvent);
  return {
    streamType: "text/event-stream",
    encode: (event) =>
      answer
        .push(event)
        .map((piece) => `data: ${JSON.stringify(messageOf(piece, facts))}\r\n\r\n`)
        .join(""),
    whole: (events) => wholeAnswer(events, facts),
  };
}

/** Without `alt=sse`. */
class ArrayEncoder implements AnswerEncoder {
  readonly streamType = "application/json; charset=UTF-8";
  readonly #answer = running(NOTHING_SAID, sayEvent);
  readonly #facts: AnswerFacts;
  #state: "before" | "open" | "closed" = "before";

  constructor(facts: AnswerFacts) {
    this.#facts = facts;
  }

  encode(event: AnswerEvent): string {
    const pieces = this.#answer.push(event).map((piece) => {
      const { before, after } = this.frame ?? { before: "", after: "" };
      this.#state = piece.kind === "part" ? "open" : "closed";
      return `${before}${JSON.stringify(messageOf(piece, this.#facts))}${piece.kind === "part" ? "" : after}`;
    });
    return pieces.join("");
  }

  whole(events: readonly AnswerEvent[]): string {
    return wholeAnswer(events, this.#facts);
  }

  get frame(): ElementFrame | null {
    if (this.#state === "closed") return null;
    return { before: this.#state === "before" ? "[" : "\n,\r\n", after: "]" };
  }
}

/** Made of the same pieces as the stream, so that both mean the same. */
function wholeAnswer(events: readonly AnswerEvent[], facts: AnswerFacts): string {
  const answer = running(NOTHING_SAID, sayEvent);
  const pieces = events.flatMap((event) => answer.push(event));
  const parts = pieces.reduce<WrittenPart[]>(
    (said, piece) => (piece.kind === "part" ? add(said, piece.part) : said),
    [],
  );
  const { reason, usage } = answer.state;
  return JSON.stringify(lastOf(parts, { kind: "last", reason, usage }, facts));
}

/** Words, or thoughts, that go on are one part; a signature ends it. */
function add(parts: WrittenPart[], part: WrittenPart): WrittenPart[] {
  const last = parts.at(-1);
  const goesOn =
    last?.text !== undefined &&
    part.text !== undefined &&
    last.thought === part.thought &&
    last.thoughtSignature === undefined;
  if (goesOn) parts[parts.length - 1] = { ...last, ...part, text: `${last.text ?? ""}${part.text ?? ""}` };
  else parts.push(part);
  return parts;
}
