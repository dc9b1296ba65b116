/** The contract of every provider: what its upstream's refusals mean for the client and for the account. */
import { describe, expect, it } from "vitest";
import type { Behaviour } from "../../upstream/behaviour.ts";
import { accountView, eventually, idle, upstream, usageOf } from "../setup/relay.ts";
import { CASES, send, serve, servePair, vendorOf, type Case, type Served } from "./cases.ts";
import type { Vendor } from "./vendors.ts";

const coolingOf = async (account: { readonly id: string }) => {
  const { status } = await eventually(
    () => accountView(account),
    (view) => (view.status?.cooldowns.length ?? 0) > 0,
  );
  return status?.cooldowns[0];
};

const FAILURES: readonly (readonly [string, (vendor: Vendor) => Behaviour, readonly number[]])[] = [
  ["an internal error", (vendor) => vendor.failed(), [502]],
  ["an outage", (vendor) => vendor.unavailable(), [503]],
  // Anthropic alone has a status of its own for it.
  ["an overload", (vendor) => vendor.overloaded(), [503, 529]],
  ["a refused credential", (vendor) => vendor.unauthorized(), [502]],
  ["a forbidden call", (vendor) => vendor.forbidden("Not for this account."), [502]],
  ["a limit", (vendor) => vendor.limited(600), [429]],
];

describe.each(CASES)("an error of $name", (each) => {
  const { dialect } = each;

  it("that is the request's reaches the client in its protocol and the upstream's words", async () => {
    const { key, first, second } = await servePair(each);
    await upstream.set(first.subject, vendorOf(each).invalid("temperature: must not be 7"));
    for (const stream of [false, true]) {
      const response = await send(each, { key }, { stream });
      expect(response.status).toBe(400);
      const body = await response.json();
      expect(body).toEqual(dialect.error(400));
      expect(JSON.stringify(body)).toContain("temperature: must not be 7");
    }
    expect((await upstream.statsOf(second.subject)).requests).toBe(0);
    expect((await accountView(first)).status?.cooldowns).toEqual([]);
  });

  it.each(FAILURES)("%s, is answered by the next account", async (_, behaviour) => {
    const { key, first, second } = await servePair(each);
    await upstream.set(first.subject, behaviour(vendorOf(each)));
    const response = await send(each, { key }, { stream: true });
    expect(response.status).toBe(200);
    expect(dialect.events(await response.text()).at(-1)).toEqual(dialect.end);
    const [record] = await usageOf(key);
    expect(record).toMatchObject({ outcome: "completed", accountId: second.id });
    expect((await upstream.statsOf(second.subject)).requests).toBe(1);
    await idle(first, key);
    await idle(second, key);
  });

  it.each(FAILURES)("%s, is the upstream's, and never the client's", async (_, behaviour, statuses) => {
    const served = await serve(each);
    await upstream.set(served.subject, behaviour(vendorOf(each)));
    const response = await send(each, served);
    expect(statuses).toContain(response.status);
    const body = await response.json();
    expect(body).toEqual(dialect.error(response.status));
    expect(JSON.stringify(body)).not.toContain("Not for this account.");
    const [record] = await usageOf(served.key);
    expect(record).toMatchObject({ outcome: "failed", status: response.status });
    await idle(served.account, served.key);
  });
});

const RESET_S = 600;
/** From the upstream's word to the client's. */
const DELAY_S_MAX = 60;

describe.each(CASES)("a limit of $name", (each) => {
  it("rests the account until its reset, and tells the client how long that is", async () => {
    const served = await serve(each);
    await upstream.set(served.subject, vendorOf(each).limited(RESET_S));
    // The second time the account is not even asked.
    for (let turn = 0; turn < 2; turn++) {
      const response = await send(each, served);
      expect(response.status).toBe(429);
      const retryAfter = Number(response.headers.get("retry-after"));
      expect(retryAfter).toBeGreaterThan(RESET_S - DELAY_S_MAX);
      expect(retryAfter).toBeLessThanOrEqual(RESET_S);
      const cooldown = await coolingOf(served.account);
      expect(cooldown?.reason).toBe("rate_limited");
      const restS = ((cooldown?.until ?? 0) - Date.now()) / 1000;
      expect(Math.abs(restS - RESET_S)).toBeLessThan(DELAY_S_MAX);
    }
    expect((await upstream.statsOf(served.subject)).requests).toBe(1);
  });
});

const refreshes = async ({ subject }: Served) => (await upstream.stats(subject)).families[subject];
const isRefreshed = ({ provider }: Case) => provider.refresh !== undefined;

describe.each(CASES.filter(isRefreshed))("a token of $name", (each) => {
  it.each(["expired", "revoked"] as const)("that is %s is refreshed by one call for all", async (state) => {
    const served = await serve(each, { state });
    const responses = await Promise.all(Array.from({ length: 8 }, () => send(each, served)));
    expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    expect(await refreshes(served)).toMatchObject({ calls: 1, refreshesGranted: 1, reusesRefused: 0 });
    await idle(served.account, served.key);
  });

  it("that is refused although it is fresh is refreshed once, and the account rests", async () => {
    const served = await serve(each);
    await upstream.set(served.subject, vendorOf(each).unauthorized());
    expect((await send(each, served)).status).toBe(502);
    expect(await refreshes(served)).toMatchObject({ calls: 1, refreshesGranted: 1 });
    expect(await coolingOf(served.account)).toMatchObject({ reason: "unauthorized" });
    expect((await upstream.statsOf(served.subject)).requests).toBe(2);
  });
});

describe.each(CASES.filter((each) => !isRefreshed(each)))("a credential of $name", (each) => {
  it("that is refused is asked with no more: the account rests as unauthorised", async () => {
    const served = await serve(each);
    await upstream.set(served.subject, vendorOf(each).unauthorized());
    expect((await send(each, served)).status).toBe(502);
    expect(await coolingOf(served.account)).toMatchObject({ reason: "unauthorized" });
    await send(each, served);
    expect((await upstream.statsOf(served.subject)).requests).toBe(1);
  });
});
