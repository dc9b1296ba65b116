import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RequestId } from "../worker/domain/ids.ts";
import { EMPTY_QUEUE, enter, entryTo, firstDeadline, leave, settled, type WaitQueue } from "./wait-queue.ts";

const NOW = 1_900_000_000_000;
const TIMEOUT_MS = 10_000;
const MINUTE_MS = 60_000;

interface Asked {
  readonly requestId: RequestId;
}
const asked = (number: number): Asked => ({
  requestId: `req_${String(number).padStart(8, "0")}` as RequestId,
});
const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

const queueOf = (count: number, now = NOW): WaitQueue<Asked> =>
  numbers(count).reduce<WaitQueue<Asked>>(
    (queue, number) => enter(queue, asked(number), TIMEOUT_MS, now),
    EMPTY_QUEUE,
  );

/** A queue that `count` requests left one after the other, each after its wait. */
const afterWaits = (waitsMs: readonly number[], endedAt = NOW): WaitQueue<Asked> =>
  waitsMs.reduce<WaitQueue<Asked>>((queue, waitedMs, index) => {
    const entered = enter(queue, asked(1000 + index), TIMEOUT_MS, endedAt - waitedMs);
    return settled(entered, new Set(entered.waiters), endedAt);
  }, EMPTY_QUEUE);

const withWaiters = (queue: WaitQueue<Asked>, count: number) => ({
  ...queue,
  waiters: queueOf(count).waiters,
});

describe("entryTo", () => {
  const rules = { length: 4, timeoutMs: TIMEOUT_MS };

  it("is open until every place is taken", () => {
    expect(numbers(6).map((count) => entryTo(queueOf(count), rules, NOW))).toEqual([
      "open",
      "open",
      "open",
      "open",
      "full",
      "full",
    ]);
  });

  it("is full where there is no place or no time to wait", () => {
    expect(entryTo(EMPTY_QUEUE, { length: 0, timeoutMs: TIMEOUT_MS }, NOW)).toBe("full");
    expect(entryTo(EMPTY_QUEUE, { length: 4, timeoutMs: 0 }, NOW)).toBe("full");
  });

  it.each([
    ["nine of ten waits took four fifths of the time limit", numbers(10).map(() => 8000), "hopeless"],
    ["nine of ten waits took a little less", numbers(10).map(() => 7999), "open"],
    ["one wait of ten was long", [...numbers(9).map(() => 10), 10_000], "open"],
    ["two waits of ten were long", [...numbers(8).map(() => 10), 10_000, 10_000], "hopeless"],
    ["nine waits say too little", numbers(9).map(() => 10_000), "open"],
  ])("tells by the latest waits whether another is worth it: %s", (_, waitsMs, entry) => {
    expect(entryTo(withWaiters(afterWaits(waitsMs), 3), rules, NOW)).toBe(entry);
  });

  it("is worth trying while no more than half of the places are taken", () => {
    const slow = afterWaits(numbers(20).map(() => 10_000));
    expect(numbers(4).map((count) => entryTo(withWaiters(slow, count), rules, NOW))).toEqual([
      "open",
      "open",
      "open",
      "hopeless",
    ]);
  });

  it("forgets waits that ended more than five minutes ago", () => {
    const slow = withWaiters(afterWaits(numbers(20).map(() => 10_000)), 3);
    expect(entryTo(slow, rules, NOW + 5 * MINUTE_MS)).toBe("hopeless");
    expect(entryTo(slow, rules, NOW + 5 * MINUTE_MS + 1)).toBe("open");
  });
});

describe("leave", () => {
  it("takes out the one that left and says nothing about waits", () => {
    const queue = leave(queueOf(3), asked(1).requestId);
    expect(queue.waiters.map(({ request }) => request)).toEqual([asked(0), asked(2)]);
    expect(queue.samples).toEqual([]);
  });

  it("changes nothing when the one that left did not wait", () => {
    const queue = queueOf(2);
    expect(leave(queue, asked(7).requestId)).toBe(queue);
  });
});

describe("settled", () => {
  it("keeps the order of those who stay, and remembers how long the others waited", () => {
    const queue = queueOf(3);
    const first = new Set(queue.waiters.slice(0, 1));
    const after = settled(queue, first, NOW + 300);
    expect(after.waiters.map(({ request }) => request)).toEqual([asked(1), asked(2)]);
    expect(after.samples).toEqual([{ at: NOW + 300, waitedMs: 300 }]);
    expect(settled(queue, new Set(), NOW)).toBe(queue);
  });

  it("remembers a bounded number of waits, the latest", () => {
    const { samples } = afterWaits(numbers(200).map((number) => number));
    expect(samples).toHaveLength(50);
    expect(samples.at(-1)?.waitedMs).toBe(199);
  });
});

describe("firstDeadline", () => {
  it("is that of whoever must go first, and never where nobody waits", () => {
    const queue = enter(enter(EMPTY_QUEUE, asked(1), 9000, NOW), asked(2), 1000, NOW + 500);
    expect(firstDeadline(queue)).toBe(NOW + 1500);
    expect(firstDeadline(EMPTY_QUEUE)).toBe(Infinity);
  });
});

describe("any history of a queue", () => {
  const step = fc.oneof(
    fc.record({ do: fc.constant("enter" as const), id: fc.nat(20) }),
    fc.record({ do: fc.constant("leave" as const), id: fc.nat(20) }),
    fc.record({ do: fc.constant("serve" as const), id: fc.nat(3) }),
  );

  it("never exceeds its length and keeps the order of arrival", () => {
    const rules = { length: 5, timeoutMs: TIMEOUT_MS };
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        let queue: WaitQueue<Asked> = EMPTY_QUEUE;
        for (const [index, each] of steps.entries()) {
          const now = NOW + index;
          if (each.do === "enter" && entryTo(queue, rules, now) === "open")
            queue = enter(queue, asked(each.id), TIMEOUT_MS, now);
          if (each.do === "leave") queue = leave(queue, asked(each.id).requestId);
          if (each.do === "serve") queue = settled(queue, new Set(queue.waiters.slice(0, each.id)), now);
          const arrivals = queue.waiters.map(({ since }) => since);
          expect(arrivals).toEqual([...arrivals].sort((a, b) => a - b));
          expect(arrivals.length).toBeLessThanOrEqual(rules.length);
        }
      }),
    );
  });
});
