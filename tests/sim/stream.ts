/** An answer on its way: events at an even pace, what they cost, and where a budget ends them. */
import type { Journey } from "./journey.ts";
import { EVENT_COST, EVENT_MS, EVENT_TOKENS, FIRST_EVENT_COST, FIRST_EVENT_TOKENS } from "./prices.ts";
import type { Task } from "./tasks.ts";
import type { World } from "./world.ts";

/** What the upstream would send if nothing came between. */
export interface Answer {
  readonly firstByteMs: number;
  readonly events: number;
  /** It breaks off after so many events; Infinity: it does not. */
  readonly breaksAfter: number;
}

export type Ending = "finished" | "broken" | "gone" | "stopped";

const costOf = (events: number) => (events === 0 ? 0 : FIRST_EVENT_COST + (events - 1) * EVENT_COST);
const tokensOf = (events: number) => (events === 0 ? 0 : FIRST_EVENT_TOKENS + (events - 1) * EVENT_TOKENS);

/** The first event at which an allowance is used up. */
const eventsWithin = (allowance: number | null): number => {
  if (allowance === null) return Infinity;
  return allowance <= FIRST_EVENT_COST ? 1 : 1 + Math.ceil((allowance - FIRST_EVENT_COST) / EVENT_COST);
};

/** @param allowance where it must ask its key for more or end; null: nowhere */
export function* streamTo(
  journey: Journey,
  answer: Answer,
  { world, allowance }: { readonly world: World; readonly allowance: number | null },
): Task<Ending> {
  const end = Math.min(answer.events, answer.breaksAfter);
  let events = Math.min(1, end);
  let stop = eventsWithin(allowance);
  for (;;) {
    const next = Math.min(end, stop);
    const [from, since] = [events, world.timeline.now()];
    const seen = () => Math.min(next, from + Math.floor((world.timeline.now() - since) / EVENT_MS));
    journey.reading = () => ({ cost: costOf(seen()), tokens: tokensOf(seen()) });
    const left = yield* world.during(journey, (next - from) * EVENT_MS);
    events = seen();
    const ending = { cost: costOf(events), tokens: tokensOf(events) };
    journey.reading = () => ending;
    if (left) return "gone";
    if (events >= answer.events) return "finished";
    if (events >= answer.breaksAfter) return "broken";
    const more = yield* world.askTwice<number>(journey.key, (reply) => {
      journey.key.extend(journey.requestId, ending.cost, reply);
    });
    if (more === null || more <= ending.cost) return "stopped";
    stop = eventsWithin(more);
  }
}
