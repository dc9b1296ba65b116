/** Ends of subscriptions and keys are told of ahead of time, each stage once. */
import { afterEach, describe, expect, it } from "vitest";
import { remindOfExpiry } from "../../worker/cron/remind-of-expiry.ts";
import { parseEnv } from "../../worker/env.ts";
import { createBox, deleteChannels, receivedIn, receivers } from "./setup/notifications.ts";
import { admin, createAccount, createKey, env } from "./setup/relay.ts";

afterEach(deleteChannels);

const DAY_MS = 86_400_000;
const remindAt = (now: number) => remindOfExpiry(parseEnv(env), now);

interface Told {
  readonly kind: string;
  readonly subject: { readonly id: string };
}

describe("the end of a subscription or a key", () => {
  it("is told of a week and a day ahead and when it has come, once each, and anew for a new end", async () => {
    const { box } = await createBox("webhook");
    const now = Date.now();
    const account = await createAccount({ expiresAt: now + 8 * DAY_MS });
    const key = await createKey({ expiresAt: now + 8 * DAY_MS });
    const off = await createAccount({ expiresAt: now + 8 * DAY_MS, enabled: false });
    for (const days of [0, 1, 1.5, 6, 7, 7.5, 9, 9.5]) await remindAt(now + days * DAY_MS);
    const wanted = 5;
    const received = await receivedIn(box, wanted);
    const told = received.map(({ body }) => body as Told);
    const of = ({ id }: { readonly id: string }) =>
      told.filter(({ subject }) => subject.id === id).map(({ kind }) => kind);
    expect(of(account)).toEqual(["account_expiring", "account_expiring", "account_expired"]);
    expect(of(key)).toEqual(["key_expiring", "key_expiring"]);
    expect(of(off)).toEqual([]);
    await admin("PATCH", `/accounts/${account.id}`, { expiresAt: now + 20 * DAY_MS });
    await remindAt(now + 10 * DAY_MS);
    await remindAt(now + 19.5 * DAY_MS);
    expect(await receivedIn(box, wanted + 1)).toHaveLength(wanted + 1);
    expect(await receivers.received(box)).toHaveLength(wanted + 1);
  });
});
