/** Conversations stay where they are: conformance item 10. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { answer, overloaded, rateLimited } from "../upstream/behaviour.ts";
import { accountView, call, createPool, eventually, messagesBody, unique, upstream } from "./setup/relay.ts";
import { inSession, newSession, servedBy } from "./setup/sessions.ts";

afterEach(() => {
  vi.useRealTimers();
});

const pool = () => createPool([{}, {}, {}, {}]);

describe("a session", () => {
  it("stays on one account, and sessions spread over all", async () => {
    const { accounts, key } = await pool();
    const homes = new Set<string>();
    for (let index = 0; index < 12; index++) {
      const session = inSession(newSession());
      const first = await servedBy(accounts, () => call(key, session));
      const second = await servedBy(accounts, () => call(key, session));
      expect(second.id).toBe(first.id);
      homes.add(first.id);
    }
    expect(homes.size).toBeGreaterThan(1);
  });

  it("is found in both forms of metadata.user_id and in the header alike", async () => {
    const { accounts, key } = await pool();
    const session = newSession();
    const old = `user_${"a".repeat(64)}_account__session_${session}`;
    const json = JSON.stringify({ device_id: "b".repeat(64), account_uuid: "", session_id: session });
    const homes = [
      await servedBy(accounts, () => call(key, inSession(session))),
      await servedBy(accounts, () => call(key, { body: messagesBody({ metadata: { user_id: old } }) })),
      await servedBy(accounts, () => call(key, { body: messagesBody({ metadata: { user_id: json } }) })),
    ];
    expect(new Set(homes.map(({ id }) => id)).size).toBe(1);
  });

  it("is told by the system prompt where the client sends no session id", async () => {
    const { accounts, key } = await pool();
    const body = messagesBody({ system: unique("You are a helpful assistant.") });
    const first = await servedBy(accounts, () => call(key, { body }));
    for (let turn = 0; turn < 4; turn++)
      expect((await servedBy(accounts, () => call(key, { body }))).id).toBe(first.id);
  });

  it("moves when its account is down, stays there after recovery, and returns when its time is over", async () => {
    const { accounts, key } = await pool();
    const session = inSession(newSession());
    const home = await servedBy(accounts, () => call(key, session));
    await upstream.next(home.secret, rateLimited({ retryAfterS: 1 }));
    const others = accounts.filter(({ id }) => id !== home.id);
    const refuge = await servedBy(others, () => call(key, session));
    await eventually(
      () => accountView(home),
      ({ status }) => status?.sessions === 1 && status.availability.kind === "available",
    );
    for (let turn = 0; turn < 3; turn++) {
      expect((await servedBy(accounts, () => call(key, session))).id).toBe(refuge.id);
    }
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + 3_600_000 + 1000);
    expect((await servedBy(accounts, () => call(key, session))).id).toBe(home.id);
  });

  it("renews its stay by use", async () => {
    const { accounts, key } = await pool();
    const session = inSession(newSession());
    const home = await servedBy(accounts, () => call(key, session));
    await upstream.next(home.secret, overloaded());
    const refuge = await servedBy(
      accounts.filter(({ id }) => id !== home.id),
      () => call(key, session),
    );
    await eventually(
      () => accountView(home),
      ({ status }) => status?.sessions === 1,
    );
    vi.useFakeTimers({ toFake: ["Date"] });
    const start = Date.now();
    for (const minutes of [50, 100, 150]) {
      vi.setSystemTime(start + minutes * 60_000);
      expect((await servedBy(accounts, () => call(key, session))).id).toBe(refuge.id);
    }
  });

  it("spills over while its account is full, without moving", async () => {
    const { accounts, key } = await createPool([{ maxConcurrency: 1 }, { maxConcurrency: 1 }]);
    const session = inSession(newSession());
    const home = await servedBy(accounts, () => call(key, session));
    const gate = unique("gate");
    await upstream.next(home.secret, { kind: "gate", gate, then: answer() });
    const running = call(key, session);
    await upstream.until(home.secret, ({ open }) => open === 1);
    const spill = await servedBy(accounts, () => call(key, session));
    expect(spill.id).not.toBe(home.id);
    await upstream.release(gate);
    await running;
    await eventually(
      () => accountView(home),
      ({ status }) => status?.activeLeases === 0,
    );
    expect((await servedBy(accounts, () => call(key, session))).id).toBe(home.id);
    expect((await accountView(home)).status?.sessions).toBe(0);
  });

  it("of one key has nothing to do with the same session of another", async () => {
    const { accounts, key } = await createPool([{}, {}, {}, {}, {}, {}, {}, {}]);
    const group = accounts[0]?.groups[0];
    const session = inSession(newSession());
    const home = await servedBy(accounts, () => call(key, session));
    await upstream.next(home.secret, overloaded());
    await servedBy(
      accounts.filter(({ id }) => id !== home.id),
      () => call(key, session),
    );
    await eventually(
      () => accountView(home),
      ({ status }) => status?.sessions === 1,
    );
    const { key: other } = await createPool([], { binding: { kind: "group", group } });
    expect((await call(other, session)).status).toBe(200);
    expect((await accountView(home)).status?.sessions).toBe(1);
  });
});
