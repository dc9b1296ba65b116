/** What happens to accounts and keys is told to those who want it: once, whatever the receiver goes through. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { tellOfYesterday } from "../../worker/cron/daily-summary.ts";
import { dayAt } from "../../worker/domain/calendar.ts";
import { parseEnv } from "../../worker/env.ts";
import { costsEach, midnightToCome, setNow } from "./setup/limits.ts";
import {
  createBox,
  deadLetters,
  deleteChannels,
  kindsIn,
  notifierStub,
  receivedIn,
  receivers,
} from "./setup/notifications.ts";
import {
  admin,
  call,
  createAccount,
  createPair,
  env,
  eventually,
  unique,
  upstream,
  usageOf,
} from "./setup/relay.ts";

afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  await deleteChannels();
});

const AN_HOUR_AND_MORE_MS = 3_700_000;

/** Lets the notifier's next tries come now. */
async function passTime(ms: number): Promise<void> {
  setNow(Date.now() + ms);
  await runDurableObjectAlarm(notifierStub());
}

/** An account that its upstream closes with the next call. */
async function closeAccount(message = "This organization has been disabled.") {
  const { account, key } = await createPair();
  const body = JSON.stringify({ type: "error", error: { type: "invalid_request_error", message } });
  await upstream.next(account.secret, { kind: "status", status: 400, body });
  await call(key);
  return { account, key };
}

const bodyIn = (received: readonly { readonly body: unknown }[], at = 0) =>
  received[at]?.body as { kind: string; title: string; lines: string[]; severity: string; id: string };

describe("an account", () => {
  it("is told of when its upstream closes it", async () => {
    const { box } = await createBox("webhook");
    const { account } = await closeAccount();
    const received = await receivedIn(box);
    expect(received[0]).toMatchObject({
      problem: null,
      body: {
        kind: "account_blocked",
        severity: "critical",
        subject: { kind: "account", id: account.id, name: account.name },
      },
    });
  });

  it("is told of once when it is limited, and when it is in use again", async () => {
    const { box } = await createBox("webhook");
    const { account, key } = await createPair();
    await upstream.next(account.secret, {
      kind: "status",
      status: 429,
      headers: { "retry-after": "1" },
      body: '{"type":"error","error":{"type":"rate_limit_error","message":"limited"}}',
    });
    await call(key);
    await receivedIn(box, 1);
    await eventually(
      () => call(key),
      ({ status }) => status === 200,
    );
    const received = await receivedIn(box, 2);
    expect(kindsIn(received)).toEqual(["account_rate_limited", "account_recovered"]);
  });

  it("is told of when it must be signed in to again", async () => {
    const { box } = await createBox("webhook");
    const account = await createAccount({
      provider: "claude-oauth",
      credential: {
        accessToken: unique("access"),
        refreshToken: unique("unknown-refresh"),
        expiresAt: Date.now() - 1000,
      },
      tokenUrl: `${upstream.url}/oauth/token`,
    });
    await admin("POST", `/accounts/${account.id}/refresh`);
    const received = await receivedIn(box);
    expect(kindsIn(received)).toEqual(["account_refresh_failed"]);
  });
});

describe("a key", () => {
  it("is told of when four fifths of a budget are spent, and when it is, once each", async () => {
    const { box } = await createBox("webhook");
    const { account, key } = await createPair({}, { dailyCost: 1 });
    await costsEach(account, 0.3);
    for (const count of [1, 2, 3, 4]) {
      await call(key, { body: { max_tokens: 1 } });
      await usageOf(key, count);
    }
    await call(key, { body: { max_tokens: 1 } });
    const received = await receivedIn(box, 2);
    expect(kindsIn(received)).toEqual(["key_near_budget", "key_exhausted"]);
    expect(bodyIn(received).lines[0]).toBe("Spent: $0.90 of $1.00 (90 %)");
  });
});

describe("a channel", () => {
  it("gets the events and severities that it wants, and nothing while it is off", async () => {
    const { box: all } = await createBox("webhook");
    const { box: events } = await createBox("webhook", { events: ["key_exhausted"] });
    const { box: severities } = await createBox("webhook", { severities: ["info"] });
    const { box: off } = await createBox("webhook", { enabled: false });
    await closeAccount();
    await receivedIn(all);
    for (const box of [events, severities, off]) expect(await receivers.received(box)).toEqual([]);
  });

  it("gets a message once its receiver is back, once, by the same id", async () => {
    const { box } = await createBox("bark");
    await receivers.setMood(box, { kind: "down", count: 3 });
    await closeAccount();
    await receivedIn(box, 1);
    for (let tries = 2; tries <= 6; tries++) await passTime(AN_HOUR_AND_MORE_MS);
    const received = await receivers.received(box);
    expect(received.map(({ refused }) => refused)).toEqual([true, true, true, false]);
    expect(new Set(received.map((_, at) => bodyIn(received, at).id)).size).toBe(1);
  });

  it("gives a message up after twelve tries; then a person may send it again, or forget it", async () => {
    const { box, channel } = await createBox("webhook");
    await receivers.setMood(box, { kind: "down" });
    await closeAccount();
    await receivedIn(box, 1);
    for (let tries = 2; tries <= 13; tries++) await passTime(AN_HOUR_AND_MORE_MS);
    vi.useRealTimers();
    expect(await receivers.received(box)).toHaveLength(12);
    const [letter] = (await deadLetters()).filter(({ channelId }) => channelId === channel.id);
    expect(letter).toMatchObject({ attempts: 12, error: "The receiver could not be reached." });
    const path = `/dead-letters/${letter?.id ?? ""}`;
    await receivers.setMood(box, { kind: "takes" });
    expect((await admin("POST", `${path}/retry`)).status).toBe(204);
    await receivedIn(box, 13);
    expect(await deadLetters()).toEqual([]);
    expect((await admin("DELETE", path)).status).toBe(404);
  });
});

describe("the daily summary", () => {
  it("comes once after the deployment's midnight", async () => {
    const { box } = await createBox("ntfy", { events: ["daily_summary"] });
    const midnight = midnightToCome();
    const relay = parseEnv(env);
    expect(dayAt(midnight, relay.TIMEZONE).start).toBe(midnight);
    for (const minute of [-1, 0, 5, 10, 45, 55, 600]) {
      setNow(midnight + minute * 60_000);
      await tellOfYesterday(relay, Date.now());
      await runDurableObjectAlarm(notifierStub());
    }
    vi.useRealTimers();
    const received = await receivedIn(box);
    expect(received).toMatchObject([{ problem: null, body: { tags: ["daily_summary"] } }]);
    const yesterday = new Date(midnight - 1).toISOString().slice(0, 10);
    expect(bodyIn(received).title).toContain(`Summary of ${yesterday}: $`);
  });
});

describe("what is told", () => {
  it("holds no secret and no prompt, nor does what the notifier keeps or logs", async () => {
    const written: string[] = [];
    for (const level of ["log", "info", "warn", "error", "debug"] as const) {
      vi.spyOn(console, level).mockImplementation((...parts: unknown[]) => {
        written.push(parts.map(String).join(" "));
      });
    }
    const { box } = await createBox("webhook");
    await receivers.setMood(box, { kind: "down" });
    const canary = "sk-ant-canary0123456789abcdefghij";
    const { account, key } = await closeAccount(
      `This organization has been disabled. ${canary} Bearer abc.def https://u:pw@host/?token=t0ken`,
    );
    const received = await receivedIn(box);
    const stored = await runInDurableObject(notifierStub(), (_, state) =>
      JSON.stringify([
        state.storage.sql.exec("SELECT * FROM delivery").toArray(),
        [...state.storage.kv.list()],
      ]),
    );
    expect(stored).toContain(account.id);
    expect(bodyIn(received).lines.join()).toContain("This organization has been disabled. [secret]");
    for (const text of [JSON.stringify(received), stored, written.join("\n")]) {
      for (const secret of [canary, account.secret, key.key, "abc.def", "u:pw@", "t0ken", "signing-secret"]) {
        expect(text.includes(secret), `${secret} in ${text}`).toBe(false);
      }
    }
    expect(stored).not.toContain(box);
  });
});
