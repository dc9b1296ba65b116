/** OAuth accounts: sign-in, refresh, and what happens when it fails. Conformance item 12. */
import { evictDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { AccountView } from "../../worker/domain/account.ts";
import type { OAuthSeed } from "../upstream/control-types.ts";
import { createPerson, signedIn } from "./setup/people.ts";
import {
  accountStub,
  accountView,
  admin,
  call,
  createPair,
  eventually,
  idle,
  unique,
  upstream,
} from "./setup/relay.ts";

afterEach(() => {
  vi.useRealTimers();
});

const HOUR_MS = 3_600_000;

async function createOAuth(seed: Partial<OAuthSeed> = {}, expiresInMs = -1000) {
  const family = unique("family");
  const [accessToken, refreshToken] = [unique("sk-ant-oat01"), unique("sk-ant-ort01")];
  await upstream.seedOAuth({
    family,
    accessToken,
    refreshToken,
    expiresInS: Math.round(expiresInMs / 1000),
    refreshedExpiresInS: 8 * 3600,
    strict: true,
    requireBeta: true,
    ...seed,
  });
  const { account, key } = await createPair({
    provider: "claude-oauth",
    credential: { accessToken, refreshToken, expiresAt: Date.now() + expiresInMs },
    tokenUrl: `${upstream.url}/oauth/token`,
  });
  return { family, accessToken, refreshToken, account, key };
}

const familyOf = async (family: string) => {
  const stats = (await upstream.stats()).families[family];
  if (stats === undefined) throw new Error("no such family");
  return stats;
};

describe("12: token refresh", () => {
  it("makes one call for fifty requests that find the token expired", async () => {
    const { family, key } = await createOAuth({ refreshBehaviours: [{ delayMs: 150 }] });
    const responses = await Promise.all(Array.from({ length: 50 }, () => call(key)));
    expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 200));
    expect(await familyOf(family)).toMatchObject({ calls: 1, refreshesGranted: 1, reusesRefused: 0 });
  });

  it("refreshes once and tries again when the upstream refuses a token that looked good", async () => {
    const { family, accessToken, key } = await createOAuth({ expiresInS: -10 }, HOUR_MS);
    expect((await call(key)).status).toBe(200);
    expect((await call(key)).status).toBe(200);
    expect(await familyOf(family)).toMatchObject({ calls: 1, refreshesGranted: 1 });
    const tokens = (await upstream.log(family)).filter(({ status }) => status === 401);
    expect(tokens).toHaveLength(1);
    expect(tokens[0]?.credential).toBe(accessToken);
  });

  it("stores the rotated refresh token before the access token is used, so that a restart loses neither", async () => {
    const { family, account, key } = await createOAuth({ refreshedExpiresInS: 1 });
    expect((await call(key)).status).toBe(200);
    await idle(account, key);
    await evictDurableObject(accountStub(account));
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + 2000);
    expect((await call(key)).status).toBe(200);
    expect(await familyOf(family)).toMatchObject({ refreshesGranted: 2, reusesRefused: 0 });
  });

  it("leaves nothing of a credential behind that was replaced while it was refreshed", async () => {
    const { family, account, key } = await createOAuth({ refreshBehaviours: [{ delayMs: 300 }] });
    const early = call(key);
    await eventually(
      () => familyOf(family),
      ({ calls }) => calls === 1,
    );
    const newer = unique("family");
    const credential = { accessToken: unique("access"), refreshToken: unique("refresh") };
    await upstream.seedOAuth({ family: newer, ...credential, expiresInS: 3600 });
    const changed = await admin("PATCH", `/accounts/${account.id}`, {
      credential: { ...credential, expiresAt: Date.now() + HOUR_MS },
    });
    expect(changed.status).toBe(200);
    expect((await early).status).toBe(200);
    for (let turn = 0; turn < 2; turn++) expect((await call(key)).status).toBe(200);
    const served = (await upstream.log(newer)).filter(({ status }) => status === 200);
    expect(served.map((each) => each.credential)).toEqual([credential.accessToken, credential.accessToken]);
  });

  it("tries again with back-off after a failure, and the account shows why", async () => {
    const { family, account, key } = await createOAuth({
      refreshBehaviours: [{ status: 500 }, { status: 503 }],
    });
    const response = await call(key);
    expect(response.status).toBe(529);
    const { status } = await accountView(account);
    expect(status?.refreshError).toContain("503");
    expect((await familyOf(family)).calls).toBe(2);
    expect((await call(key)).status).toBe(529);
    expect((await familyOf(family)).calls).toBe(2);
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + 15_000);
    expect((await call(key)).status).toBe(200);
    expect((await accountView(account)).status?.refreshError).toBeNull();
  });

  it("goes on with a token that still works when the refresh ahead of time fails", async () => {
    const refreshBehaviours = Array.from({ length: 10 }, () => ({ garbage: true }) as const);
    const { account, key } = await createOAuth({ refreshBehaviours }, 5 * 60_000);
    await eventually(
      () => accountView(account),
      ({ status }) => status?.refreshError?.includes("could not be understood") ?? false,
    );
    expect((await call(key)).status).toBe(200);
  });

  it("refreshes ahead of expiry, by alarm, so that requests do not wait", async () => {
    const { family, account, key } = await createOAuth({}, 5 * 60_000);
    await eventually(
      () => accountView(account),
      ({ status }) => (status?.tokenExpiresAt ?? 0) > Date.now() + HOUR_MS,
    );
    expect((await call(key)).status).toBe(200);
    expect(await familyOf(family)).toMatchObject({ calls: 1, refreshesGranted: 1 });
  });

  it("asks for a person when the refresh token itself is refused, until a new one is entered", async () => {
    const { family, account, key } = await createOAuth();
    await admin("PATCH", `/accounts/${account.id}`, {
      credential: { accessToken: "stale-access-token", refreshToken: "unknown-refresh-token", expiresAt: 1 },
    });
    expect((await call(key)).status).toBe(529);
    const refused = await accountView(account);
    expect(refused.status?.availability).toMatchObject({ kind: "disabled" });
    expect(refused.status?.refreshError).toContain("invalid_grant");
    const fresh = { accessToken: unique("access"), refreshToken: unique("refresh") };
    await upstream.seedOAuth({ family, ...fresh, expiresInS: 3600 });
    await admin("PATCH", `/accounts/${account.id}`, {
      credential: { ...fresh, expiresAt: Date.now() + HOUR_MS },
    });
    expect((await call(key)).status).toBe(200);
  });
});

describe("tokens that are entered by hand", () => {
  const create = (credential: object) =>
    admin("POST", "/accounts", {
      name: unique("by-hand"),
      provider: "claude-oauth",
      credential,
      baseUrl: upstream.url,
      tokenUrl: `${upstream.url}/oauth/token`,
    });

  it("may be a refresh token alone, which is exchanged at once", async () => {
    const [family, refreshToken] = [unique("family"), unique("sk-ant-ort01")];
    await upstream.seedOAuth({ family, refreshToken, accessToken: unique("access"), strict: true });
    const response = await create({ refreshToken });
    expect(response.status).toBe(201);
    const account = await response.json<AccountView>();
    expect(account.status?.tokenExpiresAt).toBeGreaterThan(Date.now());
    expect((await familyOf(family)).refreshesGranted).toBe(1);
  });

  it("are refused with a hint, and nothing is kept, where the refresh token does not work", async () => {
    const count = async () =>
      (await (await admin("GET", "/accounts?limit=1")).json<{ total: number }>()).total;
    const before = await count();
    const refused = await create({ refreshToken: unique("sk-ant-ort01-unknown") });
    expect(refused.status).toBe(400);
    expect(await refused.text()).toMatch(/refreshToken: .*invalid_grant.*Nothing was kept: sign in again/);
    expect((await create({})).status).toBe(400);
    expect(await count()).toBe(before);
  });

  it("may be an access token alone, which is used until it ends", async () => {
    const response = await create({ accessToken: unique("sk-ant-oat01") });
    expect(response.status).toBe(201);
  });
});

describe("sign-in", () => {
  interface Started {
    sessionId: string;
    url: string;
    expiresAt: number;
  }
  const start = async () =>
    (await admin("POST", "/accounts/oauth/start", { provider: "claude-oauth" })).json<Started>();
  const exchange = (sessionId: string, code: string) =>
    admin("POST", "/accounts/oauth/exchange", {
      sessionId,
      code,
      account: { name: unique("signed-in"), tokenUrl: `${upstream.url}/oauth/token`, baseUrl: upstream.url },
    });

  async function authorise(started: Started) {
    const family = unique("family");
    const url = new URL(started.url);
    const code = unique("authorization-code");
    await upstream.seedOAuth({
      family,
      code: {
        code,
        codeChallenge: url.searchParams.get("code_challenge") ?? "",
        state: url.searchParams.get("state") ?? "",
      },
    });
    return { family, code, state: url.searchParams.get("state") ?? "" };
  }

  it("leads with PKCE to an account that works", async () => {
    const started = await start();
    const url = new URL(started.url);
    expect(url.origin + url.pathname).toBe("https://claude.ai/oauth/authorize");
    expect(url.searchParams.get("code_challenge_method")).toBe("S256");
    const { family, code, state } = await authorise(started);
    const response = await exchange(started.sessionId, `${code}#${state}`);
    expect(response.status).toBe(201);
    const account = await response.json<AccountView>();
    expect(account.status?.tokenExpiresAt).toBeGreaterThan(Date.now());
    expect((await familyOf(family)).exchangesGranted).toBe(1);
    const test = await (await admin("POST", `/accounts/${account.id}/test`)).json();
    expect(test).toMatchObject({ ok: true, status: 200 });
  });

  it("takes the whole callback address as well", async () => {
    const started = await start();
    const { code, state } = await authorise(started);
    const pasted = `https://platform.claude.com/oauth/code/callback?code=${code}&state=${state}`;
    expect((await exchange(started.sessionId, pasted)).status).toBe(201);
  });

  it("refuses a foreign state, a used session, and an unknown one", async () => {
    const started = await start();
    const { code, state } = await authorise(started);
    expect((await exchange(started.sessionId, `${code}#${"x".repeat(43)}`)).status).toBe(400);
    expect((await exchange(started.sessionId, `${code}#${state}`)).status).toBe(400);
    expect((await exchange("unknown-session", `${code}#${state}`)).status).toBe(400);
  });

  it("A9 refuses an address of another host or page, and the sign-in can go on", async () => {
    const started = await start();
    const { code, state } = await authorise(started);
    for (const page of [
      "https://evil.test/oauth/code/callback",
      "https://platform.claude.com.evil.test/oauth/code/callback",
      "https://platform.claude.com/another/page",
      "http://platform.claude.com/oauth/code/callback",
    ]) {
      const refused = await exchange(started.sessionId, `${page}?code=${code}&state=${state}`);
      expect(refused.status).toBe(400);
      expect(await refused.text()).toContain("the address must begin with");
    }
    expect((await exchange(started.sessionId, `${code}#${state}`)).status).toBe(201);
  });

  it("A9 is finished only from the session that began it", async () => {
    const started = await start();
    const { code, state } = await authorise(started);
    const stranger = await signedIn(await createPerson("owner"));
    const body = {
      sessionId: started.sessionId,
      code: `${code}#${state}`,
      account: { name: unique("taken") },
    };
    expect((await stranger("POST", "/accounts/oauth/exchange", body)).status).toBe(400);
    expect((await exchange(started.sessionId, `${code}#${state}`)).status).toBe(201);
    expect((await exchange(started.sessionId, `${code}#${state}`)).status).toBe(400);
  });

  it("gives a setup token: only for calls, for a year, and asked for by its own scope", async () => {
    const setup = { provider: "claude-oauth", way: "setup_token" };
    const started = await (await admin("POST", "/accounts/oauth/start", setup)).json<Started>();
    expect(new URL(started.url).searchParams.get("scope")).toBe("user:inference");
    const { code, state } = await authorise(started);
    expect((await exchange(started.sessionId, `${code}#${state}`)).status).toBe(201);
    const refused = await admin("POST", "/accounts/oauth/start", { ...setup, provider: "openai-oauth" });
    expect(refused.status).toBe(400);
  });

  it("is over after ten minutes", async () => {
    const started = await start();
    const { code, state } = await authorise(started);
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(started.expiresAt + 1);
    expect((await exchange(started.sessionId, `${code}#${state}`)).status).toBe(400);
  });
});
