import { describe, expect, it } from "vitest";
import type { ChannelId, NoticeId } from "../../worker/domain/ids.ts";
import type { Signal } from "../../worker/domain/notice.ts";
import type { ChannelConfig, Receipt } from "../../worker/domain/notification-channel.ts";
import {
  ATTEMPTS_MAX,
  bury,
  due,
  EMPTY,
  forgetChannel,
  nextAt,
  revive,
  route,
  settle,
  take,
  waitingFor,
  type NotifierState,
} from "./state.ts";

const NOW = 1_800_000_000_000;
const SECOND = 1000;
const HOUR = 3600 * SECOND;

let serial = 0;
const newId = () => `ntc_0000000${String(++serial)}` as NoticeId;

const signal = (topic: string | null, overrides: Partial<Signal> = {}): Signal => ({
  notice: { kind: "system_error", severity: "error", title: "Title", lines: [], at: NOW, subject: null },
  topic,
  ends: [],
  ...overrides,
});

const channel = (id: string, overrides: Partial<ChannelConfig> = {}): ChannelConfig => ({
  id: `chn_${id}` as ChannelId,
  name: id,
  type: "webhook",
  enabled: true,
  events: [],
  severities: [],
  settings: {},
  createdAt: NOW,
  updatedAt: NOW,
  ...overrides,
});

const receipt = (ok: boolean, retryAfterMs: number | null = null): Receipt => ({
  ok,
  status: ok ? 200 : 500,
  message: ok ? "" : "refused",
  retryAfterMs,
});

const told = (state: NotifierState, signals: readonly Signal[], now = NOW) =>
  take(state, signals, now, newId);
const routed = (channels = [channel("one")]) => route(told(EMPTY, [signal(null)]), channels, NOW);
const only = (state: NotifierState) => {
  const [delivery] = state.pending.values();
  if (delivery === undefined) throw new Error("nothing is pending");
  return delivery;
};

describe("take", () => {
  it("keeps the same topic once, and again after an hour", () => {
    const first = told(EMPTY, [signal("a"), signal("a"), signal("b")]);
    expect(first.inbox).toHaveLength(2);
    expect(told(first, [signal("a")], NOW + HOUR - 1).inbox).toHaveLength(2);
    expect(told(first, [signal("a")], NOW + HOUR).inbox).toHaveLength(3);
  });

  it("tells of an end only where there was a beginning, and then of a new beginning at once", () => {
    const end = signal(null, { ends: ["a", "b"] });
    expect(told(EMPTY, [end])).toBe(EMPTY);
    expect(told(EMPTY, [signal("a"), end, end, signal("a")]).inbox).toHaveLength(3);
  });

  it("tells what has no topic each time", () => {
    expect(told(EMPTY, [signal(null), signal(null)]).inbox).toHaveLength(2);
  });

  it("keeps no more than it can hold, nor lines that are longer than messages", () => {
    const long = { ...signal(null).notice, title: "t".repeat(999), lines: ["a\r\nb", "l".repeat(999)] };
    const state = told(
      EMPTY,
      Array.from({ length: 600 }, () => signal(null, { notice: long })),
    );
    expect(state.inbox).toHaveLength(500);
    expect(state.inbox[0]?.title).toHaveLength(150);
    expect(state.inbox[0]?.lines.map(({ length }) => length)).toEqual([3, 300]);
    const topics = Array.from({ length: 3000 }, (_, at) => signal(`topic-${String(at)}`));
    expect(told(EMPTY, topics).told.size).toBe(2000);
  });
});

describe("route", () => {
  it("makes one delivery for each channel that wants the notice", () => {
    const state = routed([
      channel("all"),
      channel("event", { events: ["system_error"] }),
      channel("other", { events: ["test"] }),
      channel("mild", { severities: ["info"] }),
      channel("off", { enabled: false }),
    ]);
    expect([...state.pending.values()].map(({ channelId }) => channelId)).toEqual(["chn_all", "chn_event"]);
    expect(state.inbox).toEqual([]);
    expect(route(state, [channel("all")], NOW)).toBe(state);
  });
});

describe("settle", () => {
  it("forgets what was delivered", () => {
    const state = routed();
    expect(settle(state, only(state).id, receipt(true), NOW).pending.size).toBe(0);
  });

  it("tries again after 10 s, then twice as long each time, up to an hour, and gives up after twelve tries", () => {
    let state = routed();
    let now = NOW;
    const waits: number[] = [];
    const { id } = only(state);
    for (let tries = 1; tries < ATTEMPTS_MAX; tries++) {
      state = settle(state, id, receipt(false), now);
      waits.push((nextAt(state) - now) / SECOND);
      expect(due(state, nextAt(state) - 1)).toEqual([]);
      now = nextAt(state);
      expect(due(state, now)).toHaveLength(1);
    }
    expect(waits).toEqual([10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600]);
    state = settle(state, id, receipt(false), now);
    expect(nextAt(state)).toBe(Infinity);
    expect(state.dead.get(id)).toMatchObject({ attempts: 12, lastTriedAt: now, error: "refused" });
  });

  it("leaves a receiver alone as long as it asks for", () => {
    const state = routed();
    expect(nextAt(settle(state, only(state).id, receipt(false, 90 * SECOND), NOW))).toBe(NOW + 90 * SECOND);
  });

  it("changes nothing for a delivery that is gone", () => {
    expect(settle(EMPTY, "gone", receipt(false), NOW)).toBe(EMPTY);
  });
});

const dead = (): NotifierState => {
  let state = routed();
  const { id } = only(state);
  for (let tries = 0; tries < ATTEMPTS_MAX; tries++) state = settle(state, id, receipt(false), NOW);
  return state;
};

describe("dead letters", () => {
  it("are tried again as if they were new, or forgotten", () => {
    const state = dead();
    const [id = ""] = state.dead.keys();
    const revived = revive(state, id, NOW + HOUR);
    expect(revived.dead.size).toBe(0);
    expect(only(revived)).toMatchObject({ id, attempts: 0, dueAt: NOW + HOUR });
    expect(bury(state, id).dead.size).toBe(0);
    expect(revive(state, "gone", NOW)).toBe(state);
    expect(bury(state, "gone")).toBe(state);
  });

  it("go with their channel, and so does what waits", () => {
    const state = { ...routed([channel("one"), channel("two")]), dead: dead().dead };
    const rest = forgetChannel(state, "chn_one" as ChannelId);
    expect([waitingFor(rest, "chn_one" as ChannelId), waitingFor(rest, "chn_two" as ChannelId)]).toEqual([
      0, 1,
    ]);
    expect(rest.dead.size).toBe(0);
  });
});
