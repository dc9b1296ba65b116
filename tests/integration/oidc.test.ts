/** Signing in at an OpenID provider that signs with real keys. Security cases A4 and A9. */
import { describe, expect, it } from "vitest";
import type { Person } from "../../worker/domain/person.ts";
import type { Tenant } from "../identity/orders.ts";
import { createPerson } from "./setup/people.ts";
import {
  authorize,
  begin,
  comeBack,
  failureIn,
  meAfter,
  newSub,
  sessionIn,
  settingOf,
  signInAt,
} from "./setup/oidc.ts";
import { lab as proxies } from "./setup/proxies.ts";
import { admin, env, fetchRelay, relayWith, unique } from "./setup/relay.ts";

const newName = () => unique("o").slice(0, 40);
const somebody = (claims: Record<string, unknown> = {}): Tenant => ({
  claims: { sub: newSub(), preferred_username: newName(), name: "Ada Lovelace", ...claims },
});
const personOf = async (id: string): Promise<Person> => (await admin("GET", `/people/${id}`)).json();
const peopleCount = async () => (await env.DB.prepare("SELECT 1 FROM person").all()).results.length;

/** Nothing came of it. */
function expectRefused(response: Response, failure: string): void {
  expect(failureIn(response)).toBe(failure);
  expect(response.status).toBe(303);
  expect(sessionIn(response)).toBeNull();
}

describe("somebody at the provider", { timeout: 60_000 }, () => {
  it.each(["ES256", "RS256"] as const)(
    "signs in with a token of %s, and is then a person here",
    async (alg) => {
      const tenant = { ...somebody({ email: "ada@example.org", email_verified: true }), alg };
      const setting = await settingOf(tenant);
      const me = await meAfter(setting);
      expect(me).toMatchObject({
        username: tenant.claims["preferred_username"],
        name: "Ada Lovelace",
        role: "user",
      });
      expect(await personOf(me.id)).toMatchObject({
        source: "oidc",
        email: "ada@example.org",
        enabled: true,
      });
      expect((await meAfter(setting)).id).toBe(me.id);
    },
  );

  it("signs in with what the provider says only when it is asked", async () => {
    const claims = { sub: newSub() };
    const userinfo = { preferred_username: newName(), name: "Grace", email: "grace@example.org" };
    const me = await meAfter(await settingOf({ claims, userinfo }));
    expect(me).toMatchObject({ username: userinfo.preferred_username, name: "Grace" });
  });

  it.each(["basic", "post", "none"] as const)(
    "signs in where clients say who they are by %s",
    async (way) => {
      expect(await meAfter(await settingOf({ ...somebody(), authentication: way }))).toMatchObject({
        role: "user",
      });
    },
  );

  it("is sent on by a page of this site, which may nothing else, and not to any other", async () => {
    const response = await signInAt(await settingOf(somebody()));
    expect(response.status).toBe(200);
    expect(await response.text()).toContain('content="0;url=/"');
    expect(response.headers.get("content-security-policy")).toMatch(/^default-src 'none'/);
    expect(response.headers.get("referrer-policy")).toBe("no-referrer");
    expect(response.headers.get("cache-control")).toBe("no-store");
    const cookies = response.headers.getSetCookie().join("\n");
    expect(cookies).toMatch(/relay_session=.*HttpOnly; Secure; SameSite=Strict/);
    expect(cookies).toMatch(/relay_oidc=; Max-Age=0/);
  });

  it("is known by issuer and subject: name and address are only descriptions", async () => {
    const tenant = somebody({ email: "before@example.org" });
    const setting = await settingOf(tenant);
    const me = await meAfter(setting);
    const changes = { preferred_username: newName(), name: "After", email: "after@example.org" };
    await setting.setTenant({ claims: { ...tenant.claims, ...changes } });
    expect(await meAfter(setting)).toMatchObject({ id: me.id, username: me.username, name: "After" });
    expect(await personOf(me.id)).toMatchObject({ email: "after@example.org" });
  });

  it("is not somebody with the same subject at another provider", async () => {
    const sub = newSub();
    const [one, other] = await Promise.all([settingOf(somebody({ sub })), settingOf(somebody({ sub }))]);
    expect((await meAfter(one)).id).not.toBe((await meAfter(other)).id);
  });

  it.each(["local", "oidc"] as const)("does not get the name that somebody %s has", async (kind) => {
    const owner = kind === "local" ? await createPerson("owner") : await meAfter(await settingOf(somebody()));
    const before = await personOf(owner.id);
    const claims = { preferred_username: owner.username.toUpperCase(), email: before.email };
    expectRefused(await signInAt(await settingOf(somebody(claims))), "oidc_refused");
    expect(await personOf(owner.id)).toEqual(before);
  });

  it("does not get the variables' own name", async () => {
    expectRefused(await signInAt(await settingOf(somebody({ preferred_username: "Admin" }))), "oidc_refused");
  });

  it("stays out once they were switched off here, which is written down", async () => {
    const setting = await settingOf(somebody());
    const { id } = await meAfter(setting);
    await admin("PATCH", `/people/${id}`, { enabled: false });
    expectRefused(await signInAt(setting), "oidc_refused");
    const { items } = await (
      await admin("GET", `/audit?target=${id}&limit=1`)
    ).json<{ items: { action: string }[] }>();
    expect(items[0]?.action).toBe("session.refuse");
  });

  it("has no password here", async () => {
    const { username } = await meAfter(await settingOf(somebody()));
    const response = await fetchRelay("/admin/login", {
      method: "POST",
      headers: { "content-type": "application/json", "cf-connecting-ip": unique("address") },
      body: JSON.stringify({ username, password: "" }),
    });
    expect(response.status).toBe(401);
  });
});

describe("roles", { timeout: 60_000 }, () => {
  const ROLES = {
    OIDC_ROLE_CLAIM: "realm_access.roles",
    OIDC_ROLES: "relay-admins=admin,relay-viewers=viewer",
  };
  const withRoles = (tenant: Tenant, ...roles: string[]): Tenant => ({
    claims: { ...tenant.claims, realm_access: { roles } },
  });

  it("are what a claim says, at every sign-in", async () => {
    const tenant = somebody();
    const setting = await settingOf(withRoles(tenant, "relay-viewers", "relay-admins", "x"), ROLES);
    expect((await meAfter(setting)).role).toBe("admin");
    await setting.setTenant(withRoles(tenant, "relay-viewers"));
    expect((await meAfter(setting)).role).toBe("viewer");
    await setting.setTenant(withRoles(tenant, "owner", "admin"));
    expect((await meAfter(setting)).role).toBe("user");
  });

  it("are needed, where that is wanted", async () => {
    const setting = await settingOf(somebody(), { ...ROLES, OIDC_DEFAULT_ROLE: "none" });
    expectRefused(await signInAt(setting), "oidc_refused");
  });
});

describe("what comes back", { timeout: 60_000 }, () => {
  it("A9 counts once", async () => {
    const setting = await settingOf(somebody());
    const begun = await begin(setting);
    const path = await authorize(begun);
    expect(sessionIn(await comeBack(setting, path, begun.cookie))).not.toBeNull();
    expectRefused(await comeBack(setting, path, begun.cookie), "oidc_state");
    // Nor with a new code for the same state.
    expectRefused(await comeBack(setting, await authorize(begun), begun.cookie), "oidc_state");
  });

  it("A9 belongs to the browser that began", async () => {
    const setting = await settingOf(somebody());
    const [mine, others] = [await begin(setting), await begin(setting)];
    const path = await authorize(others);
    expectRefused(await comeBack(setting, path, mine.cookie), "oidc_state");
    expectRefused(await comeBack(setting, path, null), "oidc_state");
    expectRefused(await comeBack(setting, path, "t1.AAAAAAAAAAAAAAAA.AAAA"), "oidc_state");
    expectRefused(await comeBack(setting, path, `${others.cookie}x`), "oidc_state");
    expectRefused(await comeBack(setting, path.replace(/state=[^&]*/, ""), others.cookie), "oidc_state");
    // None of that has spent it for who began.
    expect(sessionIn(await comeBack(setting, path, others.cookie))).not.toBeNull();
  });

  it("A9 carries a code of this provider, for this state, and nothing else", async () => {
    const setting = await settingOf(somebody());
    const before = await peopleCount();
    const turned = [
      (path: string) => path.replace(/code=[^&]*/, "code=guessed"),
      (path: string) => path.replace(/code=[^&]*/, ""),
      (path: string) => path.replace(/iss=[^&]*/, "iss=https%3A%2F%2Fevil.example"),
      (path: string) => path.replace(/&?iss=[^&]*/, ""),
    ];
    for (const turn of turned) {
      const begun = await begin(setting);
      expectRefused(await comeBack(setting, turn(await authorize(begun)), begun.cookie), "oidc_failed");
    }
    expect(await peopleCount()).toBe(before);
  });

  it("A9 was asked for with PKCE, a nonce and this site's address, and kept where no script sees it", async () => {
    const setting = await settingOf(somebody());
    const begun = await begin(setting);
    const asked = new URL(begun.authorizeUrl).searchParams;
    expect(asked.get("redirect_uri")).toBe("https://relay.test/admin/oidc/callback");
    expect(asked.get("code_challenge_method")).toBe("S256");
    expect(begun.setCookie).toMatch(/Path=\/admin\/oidc; HttpOnly; Secure; SameSite=Lax/);
    for (const name of ["state", "nonce", "code_challenge"] as const)
      expect(begun.setCookie).not.toContain(asked.get(name) ?? "missing");
  });

  it.each([
    "nonce",
    "no-nonce",
    "audience",
    "issuer",
    "expired",
    "alg-none",
    "alg-hs256",
    "foreign-key",
    "changed-claims",
  ] as const)("A4 is refused for its %s", async (lie) => {
    const setting = await settingOf({ ...somebody(), lie });
    const before = await peopleCount();
    expectRefused(await signInAt(setting), "oidc_failed");
    expect(await peopleCount()).toBe(before);
  });

  it("is refused where userinfo speaks of somebody else", async () => {
    const tenant = somebody();
    expectRefused(await signInAt(await settingOf({ ...tenant, userinfo: { sub: "else" } })), "oidc_failed");
  });

  it("may be a no", async () => {
    expectRefused(await signInAt(await settingOf({ ...somebody(), lie: "denied" })), "oidc_denied");
  });

  it("is not asked about without end for one address", async () => {
    const setting = await settingOf({ ...somebody(), lie: "denied" });
    const address = unique("address");
    const failures: (string | null)[] = [];
    for (let tries = 0; tries < 32; tries++) {
      const begun = await begin(setting);
      failures.push(failureIn(await comeBack(setting, await authorize(begun), begun.cookie, address)));
    }
    expect(failures[0]).toBe("oidc_denied");
    expect(failures.at(-1)).toBe("rate_limited");
  });
});

describe("a provider", { timeout: 60_000 }, () => {
  const oidc = { OIDC_CLIENT_ID: "edge-relay", OIDC_LABEL: "Example SSO" };

  it("that is not there is said so on the sign-in page", async () => {
    const issuer = `http://127.0.0.1:${String(proxies.closedPort)}`;
    const by = relayWith({ ...oidc, OIDC_ISSUER: issuer });
    expectRefused(await by("/admin/oidc/start"), "oidc_unavailable");
  });

  it("inside a private network is not asked where that is not allowed", async () => {
    const by = relayWith({ ...oidc, OIDC_ISSUER: "https://127.0.0.1", ALLOW_PRIVATE_UPSTREAMS: "false" });
    expectRefused(await by("/admin/oidc/start"), "oidc_failed");
  });

  it("is offered to sign-in pages, and where there is none there is no such path", async () => {
    const by = relayWith({ ...oidc, OIDC_ISSUER: "https://sso.example.org" });
    expect(await (await by("/admin/sign-in")).json()).toMatchObject({
      oidc: { label: "Example SSO", url: "/admin/oidc/start" },
    });
    expect((await fetchRelay("/admin/oidc/start")).status).toBe(404);
    expect((await fetchRelay("/admin/oidc/callback?code=x&state=y")).status).toBe(404);
  });
});
