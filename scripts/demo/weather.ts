/** Makes the fake upstream change with time: other answers every few seconds, a rate limit now and then. */
import { setTimeout as sleep } from "node:timers/promises";
import { type AnswerShape, answer, overloaded, rateLimited } from "../../tests/upstream/behaviour.ts";
import type { UpstreamControl } from "../../tests/upstream/client.ts";
import { SUBJECTS } from "./samples.ts";

const CHANGE_EVERY_MS = 3_000;
/** In changes: the limit lasts 25 s of every 75 s. */
const LIMIT_EVERY = 25;
const LIMIT_S = 25;
const OVERLOAD_EVERY = 60;

const between = (least: number, most: number): number => Math.round(least + Math.random() * (most - least));

/** Figures as a coding conversation has them: a large cached prompt, little new text. */
const usage = (): NonNullable<AnswerShape["usage"]> => ({
  input_tokens: between(50, 4_000),
  output_tokens: between(80, 1_500),
  cache_read_input_tokens: between(0, 60_000),
  cache_creation_input_tokens: between(0, 4_000),
});

const quick = () =>
  answer({
    usage: usage(),
    headersDelayMs: between(100, 900),
    events: 16,
    eventIntervalMs: between(40, 160),
  });
const slow = () => answer({ usage: usage(), headersDelayMs: 1_500, events: 40, eventIntervalMs: 200 });

async function change(upstream: UpstreamControl, turn: number): Promise<void> {
  await upstream.set(SUBJECTS.steady, quick());
  await upstream.set(SUBJECTS.limited, quick());
  await upstream.set(SUBJECTS.subscription, quick());
  await upstream.set(SUBJECTS.slow, slow());
  if (turn % LIMIT_EVERY === 0) {
    await upstream.next(SUBJECTS.limited, rateLimited({ retryAfterS: LIMIT_S }));
  }
  if (turn % OVERLOAD_EVERY === 0) await upstream.next(SUBJECTS.subscription, overloaded());
}

/** Runs until aborted. */
export async function runWeather(upstream: UpstreamControl, signal: AbortSignal): Promise<void> {
  for (let turn = 1; !signal.aborted; turn++) {
    await change(upstream, turn);
    await sleep(CHANGE_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
