/** The figures that Bedrock counts itself, for an answer whose own events lack some. Pure. */
import { z } from "zod";
import type { AnthropicEvent } from "./events.ts";

/** Anthropic's names of the figures, and Bedrock's. */
const FIGURES = {
  input_tokens: "inputTokenCount",
  output_tokens: "outputTokenCount",
  cache_read_input_tokens: "cacheReadInputTokenCount",
  cache_creation_input_tokens: "cacheWriteInputTokenCount",
} as const;

type Figure = keyof typeof FIGURES;
const NAMES = Object.keys(FIGURES) as readonly Figure[];

const record = z.record(z.string(), z.unknown()).catch({});
const message = z.looseObject({ usage: record }).catch({ usage: {} });

export class Metrics {
  /** What the message's own events have told. */
  readonly #told = new Set<Figure>();
  #totals: Readonly<Record<string, unknown>> = {};

  see(event: AnthropicEvent): void {
    if (event.type === "message_start") {
      // Of the output it tells only that it has begun.
      this.#note(message.parse(event["message"]).usage, (figure) => figure !== "output_tokens");
    }
    if (event.type === "message_delta") this.#note(record.parse(event["usage"]), () => true);
  }

  seeTotals(totals: unknown): void {
    this.#totals = record.parse(totals);
  }

  get isComplete(): boolean {
    return NAMES.every((figure) => this.#told.has(figure));
  }

  /** A `message_delta` with the figures that no event has told, where Bedrock has them. */
  completed(delta: AnthropicEvent): AnthropicEvent {
    const missing = NAMES.filter((figure) => !this.#told.has(figure)).flatMap((figure) => {
      const total = this.#totals[FIGURES[figure]];
      return typeof total === "number" ? [[figure, total] as const] : [];
    });
    if (missing.length === 0) return delta;
    return { ...delta, usage: { ...record.parse(delta["usage"]), ...Object.fromEntries(missing) } };
  }

  #note(usage: Readonly<Record<string, unknown>>, counts: (figure: Figure) => boolean): void {
    for (const figure of NAMES) {
      if (typeof usage[figure] === "number" && counts(figure)) this.#told.add(figure);
    }
  }
}
