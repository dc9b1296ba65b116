/** Those who wait for a slot, first come, first served, and how long others waited before them. Pure. */
import type { EpochMs, RequestId } from "../worker/domain/ids.ts";
import type { QueueRules } from "../worker/domain/queue.ts";

export interface Waiter<Request> {
  readonly request: Request;
  readonly since: EpochMs;
  readonly deadline: EpochMs;
}

interface WaitSample {
  readonly at: EpochMs;
  readonly waitedMs: number;
}

export interface WaitQueue<Request> {
  readonly waiters: readonly Waiter<Request>[];
  /** Waits that ended lately, the newest last. */
  readonly samples: readonly WaitSample[];
}

export const EMPTY_QUEUE: WaitQueue<never> = { waiters: [], samples: [] };

const SAMPLES_MAX = 50;
const SAMPLES_MIN = 10;
/** Older waits say nothing about now. */
const SAMPLE_MS_MAX = 5 * 60_000;
/** A wait is hopeless when the longest tenth of the latest waits took this share of the time limit or more. */
const HOPELESS_SHARE = 0.8;
const PERCENTILE = 0.9;

/** What a request is told that would wait in vain. */
export const HOPELESS_RETRY_MS = 30_000;

export type Entry = "open" | "full" | "hopeless";

/** Whether one more may wait. A queue that is less than half full is worth trying whatever was before. */
export function entryTo(queue: WaitQueue<unknown>, rules: QueueRules, now: EpochMs): Entry {
  const { waiters, samples } = queue;
  if (waiters.length >= rules.length || rules.timeoutMs <= 0) return "full";
  if (waiters.length * 2 <= rules.length) return "open";
  const recent = samples
    .filter(({ at }) => now - at <= SAMPLE_MS_MAX)
    .map(({ waitedMs }) => waitedMs)
    .sort((a, b) => a - b);
  if (recent.length < SAMPLES_MIN) return "open";
  const p90 = recent[Math.ceil(recent.length * PERCENTILE) - 1] ?? 0;
  return p90 >= rules.timeoutMs * HOPELESS_SHARE ? "hopeless" : "open";
}

/** A request that is asked for again while it waits keeps its one place. */
export const isWaiting = (
  { waiters }: WaitQueue<{ readonly requestId: RequestId }>,
  requestId: RequestId,
): boolean => waiters.some(({ request }) => request.requestId === requestId);

export const enter = <Request>(
  queue: WaitQueue<Request>,
  request: Request,
  timeoutMs: number,
  now: EpochMs,
): WaitQueue<Request> => ({
  ...queue,
  waiters: [...queue.waiters, { request, since: now, deadline: now + timeoutMs }],
});

/** Somebody left of their own accord: their wait says nothing. */
export function leave<Request extends { readonly requestId: RequestId }>(
  queue: WaitQueue<Request>,
  requestId: RequestId,
): WaitQueue<Request> {
  const waiters = queue.waiters.filter(({ request }) => request.requestId !== requestId);
  return waiters.length === queue.waiters.length ? queue : { ...queue, waiters };
}

/** The queue after some of its waiters were served or sent away. */
export function settled<Request>(
  queue: WaitQueue<Request>,
  gone: ReadonlySet<Waiter<Request>>,
  now: EpochMs,
): WaitQueue<Request> {
  if (gone.size === 0) return queue;
  const samples = [...gone].map(({ since }) => ({ at: now, waitedMs: now - since }));
  return {
    waiters: queue.waiters.filter((waiter) => !gone.has(waiter)),
    samples: [...queue.samples, ...samples].slice(-SAMPLES_MAX),
  };
}

export const firstDeadline = ({ waiters }: WaitQueue<unknown>): EpochMs =>
  waiters.reduce((soonest, { deadline }) => Math.min(soonest, deadline), Infinity);
