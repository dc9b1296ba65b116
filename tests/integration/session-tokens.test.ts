/** A session's token counts only if every part of it is ours, and its session is kept. Security cases A4, A5, A10, A11. */
import { sign } from "hono/jwt";
import { describe, expect, it } from "vitest";
import { createPerson, login, PASSWORD } from "./setup/people.ts";
import { env, fetchRelay, relayWith } from "./setup/relay.ts";

const SECRET = "session-secret-of-the-integration-tests";

const segment = (value: unknown) =>
  btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
const claimsOf = (token: string): Record<string, unknown> =>
  JSON.parse(atob((token.split(".")[1] ?? "").replaceAll("-", "+").replaceAll("_", "/"))) as Record<
    string,
    unknown
  >;

const statusWith = async (token: string) =>
  (await fetchRelay("/admin/me", { headers: { authorization: `Bearer ${token}` } })).status;

async function session() {
  const person = await createPerson("owner");
  const { token } = await (await login(person.username, PASSWORD)).json<{ token: string }>();
  return { person, token, claims: claimsOf(token) };
}

const now = () => Math.floor(Date.now() / 1000);

describe("A4: a token", { timeout: 30_000 }, () => {
  it("of a kept session is good, and signed anew with the same claims it is the same", async () => {
    const { token, claims } = await session();
    expect(await statusWith(token)).toBe(200);
    expect(await statusWith(await sign(claims, SECRET, "HS256"))).toBe(200);
  });

  it("without a signature, or with another algorithm's, is none", async () => {
    const { token, claims } = await session();
    const body = segment(claims);
    const [, , signature = ""] = token.split(".");
    for (const header of [
      { alg: "none", typ: "JWT" },
      { alg: "None", typ: "JWT" },
      { typ: "JWT" },
      { alg: "RS256", typ: "JWT" },
      { alg: "ES256", typ: "JWT" },
    ]) {
      for (const end of ["", signature, "AAAA"]) {
        expect(await statusWith(`${segment(header)}.${body}.${end}`), JSON.stringify(header)).toBe(401);
      }
    }
    for (const algorithm of ["HS384", "HS512"] as const) {
      expect(await statusWith(await sign(claims, SECRET, algorithm))).toBe(401);
    }
  });

  it.each([
    ["of another issuer", { iss: "somebody-else" }],
    ["that has expired", { exp: now() - 1 }],
    ["that is valid from tomorrow on", { nbf: now() + 86_400 }],
    ["for somebody else's session", { sub: "per_00000001" }],
    ["for a session that never was", { sid: "0".repeat(32) }],
  ])("%s is none", async (_, changed) => {
    const { claims } = await session();
    expect(await statusWith(await sign({ ...claims, ...changed }, SECRET, "HS256"))).toBe(401);
  });

  it("signed with an older secret is none", async () => {
    const { claims } = await session();
    expect(await statusWith(await sign(claims, `${SECRET}-before`, "HS256"))).toBe(401);
    expect(await statusWith(await sign(claims, "", "HS256").catch(() => "x.y.z"))).toBe(401);
  });

  it("is not revived by the cookie or by another request after signing out", async () => {
    const { token } = await session();
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetchRelay("/admin/logout", { method: "POST", headers })).status).toBe(200);
    expect(await statusWith(token)).toBe(401);
    expect((await fetchRelay("/admin/me", { headers: { cookie: `relay_session=${token}` } })).status).toBe(
      401,
    );
    expect((await fetchRelay("/admin/logout", { method: "POST", headers })).status).toBe(200);
    expect(await statusWith(token)).toBe(401);
  });
});

describe("A4: the first owner's token", () => {
  it("ends with the variables' password", async () => {
    const { token } = await (
      await login("admin", "password-of-the-integration-tests")
    ).json<{ token: string }>();
    const ask = (relay: typeof fetchRelay) =>
      relay("/admin/me", { headers: { authorization: `Bearer ${token}` } });
    expect((await ask(fetchRelay)).status).toBe(200);
    expect((await ask(relayWith({ ADMIN_PASSWORD: "another password of the first" }))).status).toBe(401);
  });
});

describe("A5: a session counts only if every field parses", { timeout: 30_000 }, () => {
  it.each([
    ["no claim at all", () => ({})],
    ["no session", ({ sid: _, ...rest }: Record<string, unknown>) => rest],
    ["an empty session", (claims: Record<string, unknown>) => ({ ...claims, sid: "" })],
    ["a session that is a list", (claims: Record<string, unknown>) => ({ ...claims, sid: [claims["sid"]] })],
    ["a session that is an object", (claims: Record<string, unknown>) => ({ ...claims, sid: {} })],
    ["no person", ({ sub: _, ...rest }: Record<string, unknown>) => rest],
    ["a person that is null", (claims: Record<string, unknown>) => ({ ...claims, sub: null })],
    ["no end", ({ exp: _, ...rest }: Record<string, unknown>) => rest],
    ["an end that is text", (claims: Record<string, unknown>) => ({ ...claims, exp: "never" })],
  ])("%s", async (_, changed) => {
    const { claims } = await session();
    expect(await statusWith(await sign(changed(claims), SECRET, "HS256"))).toBe(401);
  });

  it.each(["{}", "null", '{"id":"per_00000009","role":"owner","enabled":true}'])(
    "a person whose row is %s may do nothing",
    async (config) => {
      const { person, token } = await session();
      await env.DB.prepare("UPDATE person SET config = ? WHERE id = ?").bind(config, person.id).run();
      expect(await statusWith(token)).toBe(401);
      await env.DB.prepare("DELETE FROM person WHERE id = ?").bind(person.id).run();
    },
  );
});

describe("A10: the session's cookie", () => {
  it("is for this host's pages alone, and no script's", async () => {
    const person = await createPerson("owner");
    const cookie = (await login(person.username, PASSWORD)).headers.get("set-cookie") ?? "";
    for (const part of ["HttpOnly", "Secure", "SameSite=Strict", "Path=/admin"])
      expect(cookie).toContain(part);
  });
});

describe("A11: the first owner", () => {
  it("is made by the deployment's variables alone: there is no set-up to call", async () => {
    for (const path of ["/admin/setup", "/setup", "/admin/init", "/web/setup", "/admin/bootstrap"]) {
      const response = await fetchRelay(path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ username: "stranger", password: "password of a stranger" }),
      });
      expect([401, 404], path).toContain(response.status);
    }
    expect((await login("stranger", "password of a stranger")).status).toBe(401);
  });
});
