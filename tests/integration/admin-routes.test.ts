/** Walks every route of the admin API, as its document has them. Security cases A4, A6 and A10. */
import { beforeAll, describe, expect, it } from "vitest";
import {
  apiDocument,
  factsOfKind,
  routesOf,
  type Operation,
} from "../../worker/admin/api-document/document.ts";
import { adminApp } from "../../worker/admin/routes.ts";
import { ROLES, type Role } from "../../worker/domain/person.ts";
import { createPerson, login, PASSWORD, signedIn, type Call } from "./setup/people.ts";
import {
  admin,
  call,
  createAccount,
  createPair,
  env,
  eventually,
  fetchRelay,
  unique,
  usageOf,
} from "./setup/relay.ts";

const document = apiDocument(adminApp.routes);
const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    name: `${method.toUpperCase()} ${path}`,
    method: method.toUpperCase(),
    path: path.replace("/admin", ""),
    operation,
  })),
);
type Walked = (typeof routes)[number];

const guarded = routes.filter(({ operation }) => operation["x-role"] !== null);
const ofName = (path: string, value: string) => path.replace(/\{\w+\}/g, value);
const hasBody = ({ operation }: Walked) => operation.requestBody !== undefined;
const parametersOf = (operation: Operation, place: "path" | "query") =>
  operation.parameters.filter((parameter) => parameter.in === place);

const calls = new Map<Role, Call>();
const as = (role: Role): Call => {
  const found = calls.get(role);
  if (found === undefined) throw new Error(`nobody is signed in as ${role}`);
  return found;
};

beforeAll(async () => {
  for (const role of ROLES) calls.set(role, await signedIn(await createPerson(role)));
}, 60_000);

describe("every route", { timeout: 60_000 }, () => {
  it.each(guarded)("$name is closed to whoever is not signed in", async ({ method, path }) => {
    const tokens = ["", "Bearer nonsense", "Bearer eyJhbGciOiJub25lIn0.e30."];
    for (const authorization of tokens) {
      const headers = { "content-type": "application/json", authorization };
      const init = { method, headers, ...(method === "GET" ? {} : { body: "{" }) };
      expect((await fetchRelay(`/admin${ofName(path, "x")}`, init)).status).toBe(401);
    }
  });

  it("is open to anybody only where that is meant", () => {
    const open = routes.filter(({ operation }) => operation["x-role"] === null).map(({ name }) => name);
    expect(open.toSorted()).toEqual([
      "GET /admin/branding",
      "GET /admin/docs",
      "GET /admin/openapi.json",
      "POST /admin/login",
      "POST /admin/logout",
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
      const strangers = ["acc", "key", "per", "req"].map((prefix) => `${prefix}_00000009`);
      for (const id of [...strangers, "x".repeat(500), "%00", "..%2F..", "__proto__"]) {
        const response = await as("owner")(
          route.method,
          ofName(route.path, id),
          hasBody(route) ? {} : undefined,
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
      const response = await fetchRelay(`/admin${ofName(path, "x")}`, {
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

const CHANNEL = {
  name: "hook",
  type: "webhook",
  settings: { url: "https://127.0.0.1:1/", secret: "secret-of-the-receiver" },
};

async function createChannel(): Promise<{ readonly id: string }> {
  const response = await admin("POST", "/notifications", CHANNEL);
  expect(response.status).toBe(201);
  return response.json();
}

/** Dollars per million tokens. */
const PRICE = { input: 1, output: 2, cacheRead: 0.1, cacheWrite5m: 1.25 };

/** What is sent to a route that changes something, to see what it answers. */
async function samples(): Promise<
  Readonly<Record<string, { readonly path?: string; readonly body?: object }>>
> {
  const { account, key } = await createPair();
  await call(key);
  const [record] = await usageOf(key);
  const [doomed, person] = [await createAccount(), await createPerson("viewer")];
  const other = await createPerson("viewer");
  const { key: doomedKey } = await createPair();
  const [channel, doomedChannel] = [await createChannel(), await createChannel()];
  const at = {
    channel: `/notifications/${channel.id}`,
    account: `/accounts/${account.id}`,
    key: `/keys/${key.id}`,
    person: `/people/${person.id}`,
  };
  const [group] = account.groups;
  const { key: captured } = await createPair();
  const { key: watched } = await createPair();
  await admin("POST", "/captures", { keyId: watched.id, minutes: 5 });
  await (await call(watched)).text();
  const { items: said } = await eventually(
    async () => (await admin("GET", `/captures/${watched.id}`)).json<{ items: { requestId: string }[] }>(),
    ({ items }) => items.length > 0,
  );
  return {
    "POST /admin/login": { body: { username: person.username, password: PASSWORD } },
    "GET /admin/accounts/{id}": { path: at.account },
    "POST /admin/accounts": {
      body: { name: "new", provider: "claude-console", credential: { apiKey: "sk-ant-test" } },
    },
    "PATCH /admin/accounts/{id}": { path: at.account, body: { priority: 3 } },
    "DELETE /admin/accounts/{id}": { path: `/accounts/${doomed.id}` },
    "POST /admin/accounts/{id}/test": { path: `${at.account}/test` },
    "POST /admin/accounts/{id}/reset": { path: `${at.account}/reset` },
    "POST /admin/accounts/{id}/refresh": { path: `${at.account}/refresh` },
    "POST /admin/accounts/oauth/start": { body: { provider: "claude-oauth" } },
    "PUT /admin/groups/{name}": { path: `/groups/${group ?? ""}`, body: { policy: "least_loaded" } },
    "DELETE /admin/groups/{name}": { path: `/groups/${group ?? ""}` },
    "POST /admin/keys": { body: { name: unique("key"), dailyCost: 5 } },
    "GET /admin/keys/{id}": { path: at.key },
    "PATCH /admin/keys/{id}": { path: at.key, body: { totalCost: 2 } },
    "POST /admin/keys/{id}/rotate": { path: `${at.key}/rotate` },
    "DELETE /admin/keys/{id}": { path: `/keys/${doomedKey.id}` },
    "POST /admin/people": { body: { username: unique("p").slice(0, 40), password: PASSWORD } },
    "GET /admin/people/{id}": { path: at.person },
    "GET /admin/people/{id}/spending": { path: `${at.person}/spending` },
    "PATCH /admin/people/{id}": { path: at.person, body: { name: "Ada" } },
    "DELETE /admin/people/{id}": { path: `/people/${other.id}` },
    "GET /admin/usage/breakdown": { path: "/usage/breakdown?by=model" },
    "POST /admin/usage/reconcile": { body: { from: String(Date.now() - 60_000), to: String(Date.now()) } },
    "POST /admin/prices/refresh": {},
    "POST /admin/prices/reprice": { body: { from: String(Date.now() - 60_000), to: String(Date.now()) } },
    "PUT /admin/prices/{model}": { path: "/prices/priced-model", body: PRICE },
    "DELETE /admin/prices/{model}": { path: "/prices/priced-model" },
    "POST /admin/notifications": { body: CHANNEL },
    "GET /admin/notifications/{id}": { path: at.channel },
    "PATCH /admin/notifications/{id}": { path: at.channel, body: { enabled: false } },
    "DELETE /admin/notifications/{id}": { path: `/notifications/${doomedChannel.id}` },
    "POST /admin/notifications/{id}/test": { path: `${at.channel}/test` },
    "PATCH /admin/settings": { body: { holdBackMs: 900 } },
    "DELETE /admin/settings/{name}": { path: "/settings/holdBackMs" },
    "POST /admin/captures": { body: { keyId: captured.id, minutes: 5 } },
    "GET /admin/captures/{keyId}": { path: `/captures/${watched.id}` },
    "GET /admin/captures/{keyId}/{requestId}": {
      path: `/captures/${watched.id}/${said[0]?.requestId ?? ""}`,
    },
    "DELETE /admin/captures/{keyId}": { path: `/captures/${captured.id}` },
    "GET /admin/requests/{id}": { path: `/requests/${record?.requestId ?? ""}` },
  };
}

/** aliases.test.ts calls every one of them. */
const isAlias = ({ operation }: Walked) => operation.summary.includes("scripts for claude-relay-service");

/** Their answers need a sign-in at an upstream: oauth.test.ts and droid.test.ts make them. */
const ELSEWHERE = new Set([
  "POST /admin/accounts/oauth/exchange",
  "POST /admin/accounts/oauth/poll",
  // It answers with a WebSocket: feed.test.ts opens it.
  "GET /admin/feed",
  // These need a message that was given up: notifications.test.ts has one.
  "POST /admin/dead-letters/{id}/retry",
  "DELETE /admin/dead-letters/{id}",
]);

describe("every answer", { timeout: 60_000 }, () => {
  it("is what the document says, to the last field, and changes are in the audit log", async () => {
    const sent = await samples();
    const facts = new Map(routesOf(adminApp.routes).map((route) => [`${route.method} ${route.path}`, route]));
    const entries = async () => (await env.DB.prepare("SELECT 1 FROM audit_entry").all()).results.length;
    const unlogged: string[] = [];
    for (const { name, method, path } of routes.filter(
      (each) => !ELSEWHERE.has(each.name) && !isAlias(each),
    )) {
      const sample = sent[name] ?? {};
      const before = await entries();
      const response = await as("owner")(method, sample.path ?? path, sample.body);
      const route = facts.get(`${method} ${path.replace(/\{(\w+)\}/g, ":$1")}`);
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
      if (name === "POST /admin/logout") calls.set("owner", await signedIn(await createPerson("owner")));
    }
    expect(unlogged.toSorted()).toEqual([
      "POST /admin/accounts/oauth/start",
      "POST /admin/accounts/{id}/test",
      "POST /admin/feed/tickets",
      "POST /admin/notifications/{id}/test",
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
