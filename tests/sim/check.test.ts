import { describe, expect, it } from "vitest";
import { NOTHING } from "../../durable-objects/key/spending.ts";
import { SessionPointers } from "../../durable-objects/account/sessions.ts";
import { check } from "./check.ts";
import { MACHINES, type Machines } from "./machines.ts";
import { Violation } from "./violation.ts";

const REQUESTS = 4000;
/** A run takes a second or two; on a machine that is busy with other things, several times that. */
const TIMEOUT_MS = 30_000;
const { account, key } = MACHINES;

/** What a run with these machines throws. */
function violationOf(seed: number, machines: Machines): Violation {
  try {
    check(seed, REQUESTS, machines);
  } catch (error) {
    if (error instanceof Violation) return error;
    throw error;
  }
  throw new Error("nothing was broken");
}

class Forgetful extends SessionPointers {
  override put(): void {
    // Says that it noted the session's new place, and does not.
  }
}

const BROKEN: Record<string, { readonly machines: Machines; readonly invariant: string }> = {
  "a lease that ignores the slots": {
    invariant: "slots",
    machines: {
      ...MACHINES,
      account: {
        ...account,
        lease: (state, request, now) => {
          const limitless = { ...state, config: { ...state.config, maxConcurrency: 0 } };
          const step = account.lease(limitless, request, now);
          return { ...step, state: { ...step.state, config: state.config } };
        },
      },
    },
  },
  "a renewal that is not noted": {
    invariant: "leases live 90 s",
    machines: { ...MACHINES, account: { ...account, renew: (state) => state } },
  },
  "a session's pointer that is forgotten": {
    invariant: "sessions stay where they went",
    machines: { ...MACHINES, SessionPointers: Forgetful },
  },
  "an admission that ignores the concurrency": {
    invariant: "concurrency",
    machines: {
      ...MACHINES,
      key: {
        ...key,
        admit: (state, ...rest) => {
          const limitless = { ...state, config: { ...state.config, concurrency: 0 } };
          const step = key.admit(limitless, ...rest);
          return { ...step, state: { ...step.state, config: state.config } };
        },
      },
    },
  },
  "an admission that forgets what is reserved": {
    invariant: "reserved is the sum of the permits'",
    machines: {
      ...MACHINES,
      key: { ...key, admit: (state, ...rest) => key.admit({ ...state, reserved: NOTHING }, ...rest) },
    },
  },
  "a permit that is not kept for who was let in under a warrant": {
    invariant: "one record a request",
    machines: { ...MACHINES, key: { ...key, take: (state) => state } },
  },
  "a warrant for a key that counts": {
    invariant: "only what is not counted is let in unasked",
    machines: { ...MACHINES, key: { ...key, admitsFreely: () => true } },
  },
  "a warrant for an account that counts": {
    invariant: "only what is not counted is let in unasked",
    machines: { ...MACHINES, account: { ...account, leasesFreely: () => true } },
  },
  "an extension without bounds": {
    invariant: "hard budgets",
    machines: { ...MACHINES, key: { ...key, extend: (state) => ({ state, decision: Infinity }) } },
  },
  "an admission that ignores the budgets": {
    invariant: "spent and reserved fit at an admission",
    machines: {
      ...MACHINES,
      key: {
        ...key,
        admit: (state, ...rest) => {
          const rich = { ...state, config: { ...state.config, dailyCost: 0, totalCost: 0, weeklyCost: 0 } };
          const step = key.admit(rich, ...rest);
          return { ...step, state: { ...step.state, config: state.config } };
        },
      },
    },
  },
  "a settlement that books twice": {
    invariant: "what is spent is what is booked",
    machines: {
      ...MACHINES,
      key: {
        ...key,
        settle: (state, settlement, deployment, now) =>
          key.settle(key.settle(state, settlement, deployment, now), settlement, deployment, now),
      },
    },
  },
  "a sweep that books nothing": {
    invariant: "one record a request",
    machines: {
      ...MACHINES,
      key: {
        ...key,
        sweep: (state, deployment, now) => {
          const swept = key.sweep(state, deployment, now).state;
          return { state: { ...swept, totals: state.totals, tallies: state.tallies }, decision: [] };
        },
      },
    },
  },
  "a queue that serves the newest first": {
    invariant: "first come, first served",
    machines: {
      ...MACHINES,
      key: {
        ...key,
        wake: (state, deployment, now) => {
          const waiters = state.queue.waiters.toReversed();
          return key.wake({ ...state, queue: { ...state.queue, waiters } }, deployment, now);
        },
      },
    },
  },
};

describe("a world in which everything goes wrong", { timeout: TIMEOUT_MS }, () => {
  it.each([1, 2, 3, 4])("keeps every promise, with seed %d", (seed) => {
    const { results, records, enteredFreely } = check(seed, REQUESTS);
    expect(results.served).toBeGreaterThan(REQUESTS / 4);
    expect(results.dead).toBeGreaterThan(0);
    expect(records).toBeGreaterThan(results.served / 2);
    expect(enteredFreely).toBeGreaterThan(0);
  });

  it("is the same world for the same seed, to the last event, and another one for another", () => {
    const [first, again, other] = [check(11, 1000), check(11, 1000), check(12, 1000)];
    expect(again).toEqual(first);
    expect(other.hash).not.toBe(first.hash);
  });
});

describe(
  "a broken promise is found, named with its seed, and found again at the same step:",
  { timeout: TIMEOUT_MS },
  () => {
    it.each(Object.entries(BROKEN))("%s", (_, { machines, invariant }) => {
      const seed = 6;
      const violation = violationOf(seed, machines);
      expect(violation.invariant).toBe(invariant);
      expect(violation.message).toContain(`seed ${String(seed)}, step ${String(violation.step)}`);
      expect(violationOf(seed, machines).message).toBe(violation.message);
    });
  },
);
