import { describe, expect, it } from "vitest";
import type { FeedEvent, Watcher } from "../../worker/domain/feed.ts";
import type { KeyId, PersonId, RequestId } from "../../worker/domain/ids.ts";
import * as machine from "./state.ts";

const NOW = 1_800_000_000_000;

const watcher = (role: Watcher["role"]): Watcher => ({
  personId: "per_00000001" as PersonId,
  role,
  until: NOW + 1,
});
const event = (overrides: Partial<FeedEvent> = {}): FeedEvent => ({
  id: "req_00000001" as RequestId,
  keyId: "key_00000001" as KeyId,
  keyName: "team",
  ownerId: null,
  account: null,
  model: "claude-sonnet-4-5",
  status: 200,
  outcome: "completed",
  tokens: 10,
  cost: 7,
  endedAt: NOW,
  durationMs: 100,
  ...overrides,
});
const ticket = (hash: string, overrides: Partial<machine.Ticket> = {}): machine.Ticket => ({
  hash,
  watcher: watcher("viewer"),
  origin: "https://admin.test",
  expiresAt: NOW + machine.TICKET_MS,
  ...overrides,
});

describe("tickets", () => {
  const state = machine.issued(machine.EMPTY, ticket("a"), NOW);
  const ask = { hash: "a", origin: "https://admin.test" };

  it("open the feed once", () => {
    const first = machine.taken(state, ask, NOW);
    expect(first.watcher).toEqual(watcher("viewer"));
    expect(machine.taken(first.state, ask, NOW).watcher).toBeNull();
  });

  it("are worth nothing late, unknown, or from another origin, and are used up there", () => {
    expect(machine.taken(state, ask, NOW + machine.TICKET_MS).watcher).toBeNull();
    expect(machine.taken(state, { ...ask, hash: "b" }, NOW).watcher).toBeNull();
    const stolen = machine.taken(state, { ...ask, origin: "https://evil.test" }, NOW);
    expect(stolen.watcher).toBeNull();
    expect(machine.taken(stolen.state, ask, NOW).watcher).toBeNull();
  });

  it("are a hundred at most, and old ones go", () => {
    let many = machine.EMPTY;
    for (let number = 0; number < 300; number++) many = machine.issued(many, ticket(String(number)), NOW);
    expect(many.tickets).toHaveLength(100);
    expect(machine.issued(many, ticket("late"), NOW + machine.TICKET_MS).tickets).toHaveLength(1);
  });
});

describe("metricsOf", () => {
  it("adds up the last minute, as far as somebody has watched", () => {
    let state = machine.watched(machine.EMPTY, NOW);
    for (let second = 0; second < 90; second++) {
      const outcome = second % 10 === 0 ? "failed" : "completed";
      state = machine.counted(state, [event({ outcome })], NOW + second * 1000);
    }
    expect(machine.metricsOf(state, 2, NOW + 20_000).windowMs).toBe(20_000);
    const metrics = machine.metricsOf(state, 2, NOW + 89_999);
    expect(metrics).toMatchObject({ type: "metrics", windowMs: 60_000, watchers: 2 });
    expect(metrics.requests).toBeGreaterThanOrEqual(55);
    expect(metrics.requests).toBeLessThanOrEqual(60);
    expect([metrics.tokens, metrics.cost]).toEqual([metrics.requests * 10, metrics.requests * 7]);
    expect(state.parts.length).toBeLessThanOrEqual(13);
  });

  it("begins anew when nobody has looked in between", () => {
    const state = machine.counted(machine.watched(machine.EMPTY, NOW), [event()], NOW);
    const again = machine.watched(machine.unwatched(state), NOW + 1000);
    expect(machine.metricsOf(again, 1, NOW + 1000)).toMatchObject({ requests: 0, windowMs: 0 });
  });
});

describe("sees", () => {
  it("shows a user their own keys' requests only, and no figures of everybody's", () => {
    const own = event({ ownerId: "per_00000001" });
    expect(
      [own, event(), event({ ownerId: "per_00000002" })].map((each) => machine.sees(watcher("user"), each)),
    ).toEqual([true, false, false]);
    expect(machine.seesMetrics(watcher("user"))).toBe(false);
    expect(machine.sees(watcher("viewer"), event()) && machine.seesMetrics(watcher("viewer"))).toBe(true);
  });
});
