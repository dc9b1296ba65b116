import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startUpstream, type Upstream } from "./server.ts";

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(async () => {
  await upstream.close();
});

type Grant = { access_token: string; refresh_token: string; expires_in: number };

async function token(body: Record<string, unknown>) {
  return await fetch(`${upstream.url}/v1/oauth/token`, { method: "POST", body: JSON.stringify(body) });
}

async function refresh(refreshToken: string) {
  return await token({ grant_type: "refresh_token", refresh_token: refreshToken });
}

async function message(accessToken: string, headers: Record<string, string> = {}) {
  return await fetch(`${upstream.url}/v1/messages`, {
    method: "POST",
    headers: { authorization: `Bearer ${accessToken}`, ...headers },
    body: JSON.stringify({ model: "m", messages: [{ role: "user", content: "hi" }] }),
  });
}

async function familyStats(family: string) {
  return (await upstream.control.stats()).families[family];
}

describe("refresh", () => {
  it("rotates the token, and refuses and counts a reuse", async () => {
    await upstream.control.seedOAuth({
      family: "rotate",
      refreshToken: "r1",
      accessToken: "a1",
      strict: true,
    });
    const grant = (await (await refresh("r1")).json()) as Grant;
    const reuse = await refresh("r1");
    expect([reuse.status, await reuse.json()]).toMatchObject([400, { error: "invalid_grant" }]);
    expect((await refresh(grant.refresh_token)).status).toBe(200);
    expect(await familyStats("rotate")).toMatchObject({
      calls: 3,
      refreshesGranted: 2,
      reusesRefused: 1,
      openMax: 1,
    });
  });

  it("grants only one of two calls at the same time", async () => {
    const seed = {
      family: "race",
      refreshToken: "race-1",
      refreshBehaviours: [{ delayMs: 50 }, { delayMs: 50 }],
    };
    await upstream.control.seedOAuth(seed);
    const replies = await Promise.all([refresh("race-1"), refresh("race-1")]);
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 400]);
    expect(await familyStats("race")).toMatchObject({ openMax: 2, refreshesGranted: 1, reusesRefused: 1 });
  });

  it("ends the whole family at a reuse when told so", async () => {
    await upstream.control.seedOAuth({ family: "revoke", refreshToken: "v1", revokeOnReuse: true });
    const grant = (await (await refresh("v1")).json()) as Grant;
    await refresh("v1");
    expect((await refresh(grant.refresh_token)).status).toBe(400);
  });

  it("fails, talks rubbish and loses its answer when told so", async () => {
    const refreshBehaviours = [
      { status: 503 },
      { garbage: true as const },
      { dropAfterRotating: true as const },
    ];
    await upstream.control.seedOAuth({ family: "ill", refreshToken: "i1", refreshBehaviours });
    expect((await refresh("i1")).status).toBe(503);
    await expect((await refresh("i1")).json()).rejects.toThrow();
    await expect(refresh("i1")).rejects.toThrow();
    expect((await refresh("i1")).status).toBe(400);
    expect(await familyStats("ill")).toMatchObject({ calls: 4, refreshesGranted: 1, reusesRefused: 1 });
  });

  it("refuses tokens of no family", async () => {
    expect((await refresh("never-seen")).status).toBe(400);
    expect((await upstream.control.stats()).unknownTokenCalls).toBeGreaterThan(0);
  });
});

describe("access tokens", () => {
  it("are refused when expired or rotated away, and keep one subject", async () => {
    await upstream.control.seedOAuth({
      family: "strict",
      refreshToken: "s1",
      accessToken: "sa1",
      expiresInS: -1,
      refreshedExpiresInS: 60,
      strict: true,
    });
    expect((await message("sa1")).status).toBe(401);
    const grant = (await (await refresh("s1")).json()) as Grant;
    expect(grant.expires_in).toBe(60);
    expect((await message(grant.access_token)).status).toBe(200);
    await refresh(grant.refresh_token);
    expect((await message(grant.access_token)).status).toBe(401);
    expect((await upstream.control.statsOf("strict")).requests).toBe(3);
  });

  it("need the OAuth beta when told so", async () => {
    await upstream.control.seedOAuth({ family: "beta", accessToken: "ba1", requireBeta: true });
    expect((await message("ba1")).status).toBe(401);
    expect((await message("ba1", { "anthropic-beta": "x-1,oauth-2025-04-20" })).status).toBe(200);
  });
});

describe("authorization code", () => {
  const verifier = "v".repeat(43);
  const challenge = createHash("sha256").update(verifier).digest("base64url");
  const authorizeUrl = (change: Record<string, string>) => {
    const query = { code_challenge: challenge, code_challenge_method: "S256", state: "st", ...change };
    return `${upstream.url}/oauth/authorize?${new URLSearchParams(query).toString()}`;
  };
  const exchange = async (code: string, code_verifier: string, state = "st") =>
    await token({ grant_type: "authorization_code", code, code_verifier, state });

  it("is shown with its state, and exchanged once against the verifier", async () => {
    const shown = await (await fetch(authorizeUrl({ code: "true", family: "pkce" }))).text();
    const [code = "", state] = shown.split("#");
    expect(state).toBe("st");
    const grant = (await (await exchange(code, verifier)).json()) as Grant;
    expect((await message(grant.access_token)).status).toBe(200);
    expect((await refresh(grant.refresh_token)).status).toBe(200);
    expect((await exchange(code, verifier)).status).toBe(400);
    expect(await familyStats("pkce")).toMatchObject({ exchangesGranted: 1, refreshesGranted: 1 });
  });

  it("is sent to a loopback redirect", async () => {
    const redirected = await fetch(authorizeUrl({ redirect_uri: "http://localhost:1/callback" }), {
      redirect: "manual",
    });
    expect(redirected.headers.get("location")).toMatch(/^http:\/\/localhost:1\/callback\?code=.+&state=st$/);
  });

  it("is refused with a wrong verifier or state", async () => {
    for (const [code, tried, state] of [
      ["c1", "wrong", "st"],
      ["c2", verifier, "other"],
    ] as const) {
      const seed = { family: `seeded-${code}`, code: { code, codeChallenge: challenge, state: "st" } };
      await upstream.control.seedOAuth(seed);
      expect((await exchange(code, tried, state)).status).toBe(400);
    }
  });
});
