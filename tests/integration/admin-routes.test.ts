/** Walks every route of the admin API, as its document has them. Security cases A4, A6 and A10. */
import { beforeAll, describe, expect, it } from "vitest";
import { factsOfKind, routesOf, type Operation } from "../../worker/api-document/document.ts";
import { documentedRoutes } from "../../worker/admin/routes.ts";
import { ROLES, type Person, type Role } from "../../worker/domain/person.ts";
import { createPerson, fullPath, login, signedIn, type Call } from "./setup/people.ts";
import { env, fetchRelay } from "./setup/relay.ts";
import { routes, routeSamples, type Walked } from "./setup/route-samples.ts";

const guarded = routes.filter(({ operation }) => operation["x-role"] !== null);
const ofName = (path: string, value: string) => path.replace(/\{\w+\}/g, value);
/** Bodies of routes that say no more of an unknown object than that, once the body is one they understand. */
const WELL_FORMED: Readonly<Record<string, object>> = {
  "POST /admin/keys/{id}/extend": { amount: 1, unit: "days" },
  "PATCH /admin/key-tags/{tag}": { name: "new" },
  "POST /admin/cards/{id}/redeem": { keyId: "key_00000009" },
  "POST /admin/api-keys/{id}/extend-expiry": { amount: 1, unit: "days" },
};
const hasBody = ({ operation }: Walked) => operation.requestBody !== undefined;
const parametersOf = (operation: Operation, place: "path" | "query") =>
  operation.parameters.filter((parameter) => parameter.in === place);

const calls = new Map<Role, Call>();
const as = (role: Role): Call => {
  const found = calls.get(role);
  if (found === undefined) throw new Error(`nobody is signed in as ${role}`);
  return found;
};

let owner: Person;

beforeAll(async () => {
  for (const role of ROLES) {
    const person = await createPerson(role);
    if (role === "owner") owner = person;
    calls.set(role, await signedIn(person));
  }
}, 60_000);

describe("every route", { timeout: 60_000 }, () => {
  it.each(guarded)("$name is closed to whoever is not signed in", async ({ method, path }) => {
    const tokens = ["", "Bearer nonsense", "Bearer eyJhbGciOiJub25lIn0.e30."];
    for (const authorization of tokens) {
      const headers = { "content-type": "application/json", authorization };
      const init = { method, headers, ...(method === "GET" ? {} : { body: "{" }) };
      expect((await fetchRelay(fullPath(ofName(path, "x")), init)).status).toBe(401);
    }
  });

  it("is open to anybody only where that is meant", () => {
    const open = routes.filter(({ operation }) => operation["x-role"] === null).map(({ name }) => name);
    expect(open.toSorted()).toEqual([
      "GET /admin/branding",
      "GET /admin/docs",
      "GET /admin/oem-settings",
      "GET /admin/oidc/callback",
      "GET /admin/oidc/start",
      "GET /admin/openapi.json",
      "GET /admin/sign-in",
      "POST /admin/login",
      "POST /admin/login/factor",
      "POST /admin/logout",
      "POST /admin/passkeys/login",
      "POST /admin/passkeys/options",
      "POST /users/login",
      "POST /users/logout",
      "POST /users/register",
      "POST /web/auth/login",
      "POST /web/auth/logout",
    ]);
  });

  it.each(guarded)("$name is closed to lesser roles, whatever they send", async (route) => {
    const needed = ROLES.findIndex((role) => role === route.operation["x-role"]);
    for (const role of ROLES.slice(0, needed)) {
      const response = await as(role)(route.method, ofName(route.path, "x"), hasBody(route) ? {} : undefined);
      expect(response.status, role).toBe(403);
    }
    const least = await as(ROLES[needed] ?? "owner")(
      route.method,
      ofName(route.path, "x"),
      hasBody(route) ? [] : undefined,
    );
    expect([401, 403]).not.toContain(least.status);
  });

  it.each(guarded.filter(({ method, path }) => path.includes("{") && method !== "PUT"))(
    "$name knows no object that there is not",
    async (route) => {
      const prefixes = ["acc", "crd", "key", "per", "prx", "rdm", "req"];
      const strangers = prefixes.map((prefix) => `${prefix}_00000009`);
      for (const id of [...strangers, "x".repeat(500), "%00", "..%2F..", "__proto__"]) {
        const response = await as("owner")(
          route.method,
          ofName(route.path, id),
          hasBody(route) ? (WELL_FORMED[route.name] ?? {}) : undefined,
        );
        expect(response.status, id).toBe(404);
      }
    },
  );

  it.each(routes.filter(hasBody))("$name refuses a malformed body", async ({ method, path }) => {
    const { token } = await (
      await login("admin", "password-of-the-integration-tests")
    ).json<{ token: string }>();
    const bodies = [
      "{",
      "[]",
      '"text"',
      "null",
      "7",
      '{"name":7,"provider":[],"username":{},"policy":7}',
      "\u0000",
    ];
    for (const body of bodies) {
      const response = await fetchRelay(fullPath(ofName(path, "x")), {
        method,
        headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
        body,
      });
      expect(response.status, body).toBe(400);
    }
  });

  const queries = routes.flatMap(({ method, path, operation }) =>
    parametersOf(operation, "query").map(({ name }) => ({ method, path, name })),
  );
  it.each(queries)("$method $path refuses a malformed $name", async ({ method, path, name }) => {
    const response = await as("owner")(method, `${path}?${name}=${"x".repeat(301)}`);
    expect(response.status).toBe(400);
  });
});

/** aliases.test.ts calls every one of them. */
const isAlias = ({ operation }: Walked) => operation.summary.includes("scripts for claude-relay-service");

/** Their answers need a sign-in at an upstream: oauth.test.ts and droid.test.ts make them. */
const ELSEWHERE = new Set([
  // These need a second factor: second-factors.test.ts and passkeys.test.ts have one.
  "POST /admin/login/factor",
  "POST /admin/me/totp/confirm",
  "DELETE /admin/me/totp",
  "POST /admin/passkeys/login",
  "POST /admin/me/passkeys",
  "PATCH /admin/me/passkeys/{id}",
  "DELETE /admin/me/passkeys/{id}",
  // Nobody may register at this relay: registration.test.ts has another.
  "POST /users/register",
  "POST /admin/accounts/oauth/exchange",
  "POST /admin/accounts/oauth/poll",
  // It answers with a WebSocket: feed.test.ts opens it.
  "GET /admin/feed",
  // What the others need is in it; key-bin.test.ts empties it.
  "DELETE /admin/keys/bin",
  // These need a provider: oidc.test.ts has one.
  "GET /admin/oidc/start",
  "GET /admin/oidc/callback",
  // These need a message that was given up: notifications.test.ts has one.
  "POST /admin/dead-letters/{id}/retry",
  "DELETE /admin/dead-letters/{id}",
]);

describe("every answer", { timeout: 60_000 }, () => {
  it("is what the document says, to the last field, and changes are in the audit log", async () => {
    const sent = await routeSamples({ person: owner, as: as("owner") });
    const facts = new Map(
      routesOf(documentedRoutes()).map((route) => [`${route.method} ${route.path}`, route]),
    );
    const entries = async () => (await env.DB.prepare("SELECT 1 FROM audit_entry").all()).results.length;
    const unlogged: string[] = [];
    for (const { name, method, path, template } of routes.filter(
      (each) => !ELSEWHERE.has(each.name) && !isAlias(each),
    )) {
      const sample = sent[name] ?? {};
      const before = await entries();
      const response = await as("owner")(method, sample.path ?? path, sample.body);
      const route = facts.get(`${method} ${template}`);
      const [said] = route === undefined ? [] : factsOfKind(route, "documented");
      expect(Object.keys(said?.answers ?? {}), name).toContain(String(response.status));
      const answer = said?.answers[response.status] ?? null;
      if (answer === null) expect(await response.text(), name).toBe("");
      else if (typeof answer === "string") expect(response.headers.get("content-type")).toContain(answer);
      else {
        const json = await response.json();
        expect(answer.parse(json), name).toEqual(json);
      }
      if (method !== "GET" && (await entries()) === before) unlogged.push(name);
      if (name.endsWith("/logout")) calls.set("owner", await signedIn(owner));
    }
    expect(unlogged.toSorted()).toEqual([
      "POST /admin/accounts/oauth/start",
      "POST /admin/accounts/{id}/test",
      "POST /admin/feed/tickets",
      "POST /admin/me/passkeys/options",
      "POST /admin/me/totp",
      "POST /admin/notifications/{id}/test",
      "POST /admin/passkeys/options",
      "POST /admin/proxies/{id}/test",
      "POST /admin/sign-in/ldap-test",
    ]);
  });
});

describe("the document", () => {
  it("is shown to anybody, as JSON and as a page that runs and loads nothing", async () => {
    const json = await fetchRelay("/admin/openapi.json");
    expect(json.status).toBe(200);
    expect(await json.json()).toMatchObject({ openapi: "3.1.1", paths: { "/admin/keys": {} } });
    const page = await fetchRelay("/admin/docs");
    expect(page.headers.get("content-type")).toMatch(/^text\/html/);
    expect(page.headers.get("content-security-policy")).toMatch(
      /^default-src 'none'; style-src 'nonce-[0-9a-f-]{36}'; base-uri 'none'/,
    );
    const text = await page.text();
    expect(text).not.toMatch(/<script|https?:\/\/(?!json-schema\.org)|src=/);
    for (const { name } of routes) expect(text).toContain(`<code>${name}</code>`);
  });
});
