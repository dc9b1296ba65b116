/** What no field of any route may do, whatever is sent in it. Security cases B5, C1, C2, C6 and C7. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { check } from "../../durable-objects/notifier/configure.ts";
import { channelIdSchema } from "../../worker/domain/ids.ts";
import { createPerson, fullPath, login, PASSWORD, signedIn } from "./setup/people.ts";
import { env, fetchRelay, relayWith, unique } from "./setup/relay.ts";
import { routeSamples, routes, type Samples, type Walked } from "./setup/route-samples.ts";

interface FieldSchema {
  readonly type?: string | readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly anyOf?: readonly FieldSchema[];
  readonly properties?: Readonly<Record<string, FieldSchema>>;
}

const bodyOf = ({ operation }: Walked): FieldSchema =>
  operation.requestBody?.content["application/json"]?.schema ?? {};
const isAlias = ({ operation }: Walked) => operation.summary.includes("scripts for claude-relay-service");
/** Their tries are counted, and each costs a tenth of a second on purpose. */
const isThrottled = ({ path, operation }: Walked) =>
  operation["x-role"] === null || /totp|passkeys/.test(path);

const walked = routes.filter(
  (route) => route.operation.requestBody !== undefined && !isAlias(route) && !isThrottled(route),
);

const typesOf = (schema: FieldSchema): readonly string[] =>
  schema.anyOf === undefined ? [schema.type ?? []].flat() : schema.anyOf.flatMap(typesOf);
const alternatives = (schema: FieldSchema): readonly FieldSchema[] => schema.anyOf ?? [schema];

const fields = walked.flatMap((route) =>
  Object.entries(bodyOf(route).properties ?? {}).map(([field, schema]) => ({ ...route, field, schema })),
);

let token: string;
let sent: Samples;

beforeAll(async () => {
  const person = await createPerson("owner");
  sent = await routeSamples({ person, as: await signedIn(person) });
  token = (await (await login(person.username, PASSWORD)).json<{ token: string }>()).token;
}, 60_000);

afterAll(async () => {
  await env.DB.prepare("UPDATE setting SET overrides = '{}', version = version + 1").run();
});

/** Sends a body as text, to an object that there is, so that the field is all that is wrong. */
function send({ name, path, method }: Walked, body: string, relay = fetchRelay): Promise<Response> {
  return relay(fullPath(sent[name]?.path ?? path.replace(/\{\w+\}/g, "x")), {
    method,
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body,
  });
}

const withField = ({ name }: Walked, field: string, json: string): string => {
  const { [field]: _, ...rest } = { ...sent[name]?.body } as Record<string, unknown>;
  const others = JSON.stringify(rest).slice(1, -1);
  return `{${[others, `${JSON.stringify(field)}:${json}`].filter((part) => part !== "").join(",")}}`;
};

const numeric = fields.filter(({ schema }) => typesOf(schema).some((type) => /number|integer/.test(type)));
/** What a model is asked may have lines. */
const isProse = ({ field }: { readonly field: string }) => field === "prompt";
const textual = fields.filter((field) => typesOf(field.schema).includes("string") && !isProse(field));

describe("B5: a figure", { timeout: 60_000 }, () => {
  it.each(numeric)("$name refuses $field that is none", async (route) => {
    const ranges = alternatives(route.schema).filter(({ minimum }) => minimum !== undefined);
    const isWhole = !typesOf(route.schema).includes("number");
    // 1e999 is infinite, and NaN is no JSON at all.
    const wrong = ["1e999", "-1e999", "NaN", "[]", "{}", '"1e3x"', "1e308"];
    if (isWhole) wrong.push("0.5", "9007199254740993.5");
    if (ranges.every(({ minimum = -1 }) => minimum >= 0)) wrong.push("-1", "-0.000001");
    for (const json of wrong) {
      const response = await send(route, withField(route, route.field, json));
      expect(response.status, json).toBe(400);
    }
  });
});

describe("C2: a text", { timeout: 60_000 }, () => {
  it.each(textual)("$name keeps no control character in $field, and no text without end", async (route) => {
    const asText = (text: string) => JSON.stringify(text);
    for (const text of ["a\r\nx-evil: 1", "a\u0000b", "a\u001b[31m", "\ud800"]) {
      const response = await send(route, withField(route, route.field, asText(text)));
      expect(response.status, JSON.stringify(text)).toBeLessThan(500);
      if (response.status < 300) expect(await response.text()).not.toContain(asText(text).slice(1, -1));
    }
    const endless = await send(route, withField(route, route.field, asText("x".repeat(2_000_000))));
    expect(endless.status).toBeGreaterThanOrEqual(400);
    expect(endless.status).toBeLessThan(500);
  });
});

describe("C6: a name that every object has", { timeout: 60_000 }, () => {
  it.each(walked)("$name does nothing with it", async (route) => {
    const rest = JSON.stringify(sent[route.name]?.body ?? {}).slice(1, -1);
    const evil = '"__proto__":{"polluted":true,"role":"owner"},"constructor":{"prototype":{"polluted":true}}';
    const response = await send(route, `{${[evil, rest].filter((part) => part !== "").join(",")}}`);
    expect(response.status).toBeLessThan(500);
    expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
    if (response.headers.get("content-type")?.includes("json") === true) {
      expect(await response.text()).not.toContain('polluted":true');
    }
  });
});

const queries = routes
  .filter(({ method }) => method === "GET")
  .flatMap((route) =>
    route.operation.parameters
      .filter(({ in: place }) => place === "query")
      .map(({ name: parameter }) => ({ ...route, parameter })),
  );

describe("C7: a filter", { timeout: 60_000 }, () => {
  it.each(queries)(
    "$name asks for what $parameter says, and nothing else",
    async ({ name, path, parameter }) => {
      if (isThrottled({ path, operation: { "x-role": "x" } } as unknown as Walked)) return;
      for (const text of [
        "' OR 1=1 --",
        '"; DROP TABLE relay_key; --',
        "1) UNION SELECT hash FROM relay_key --",
        "%",
      ]) {
        const at = sent[name]?.path ?? path.replace(/\{\w+\}/g, "x");
        const query = `${at.includes("?") ? "&" : "?"}${parameter}=${encodeURIComponent(text)}`;
        const response = await fetchRelay(fullPath(at) + query, {
          headers: { authorization: `Bearer ${token}` },
        });
        expect(response.status, text).toBeLessThan(500);
      }
      const keys = await env.DB.prepare("SELECT count(*) AS n FROM relay_key").first<number>("n");
      expect(keys).toBeGreaterThan(0);
    },
  );
});

/** Inside, in every way that an address can be written. */
const INSIDE = [
  "127.0.0.1",
  "2130706433",
  "0177.0.0.1",
  "0x7f.1",
  "[::1]",
  "[::ffff:127.0.0.1]",
  "[fd00::1]",
  "169.254.169.254",
  "metadata.google.internal",
  "10.0.0.1",
  "192.168.1.1",
  "localhost",
  "api.localhost",
];
const CHANNEL = channelIdSchema.parse("chn_00000001");
const SECRET = "secret-of-the-receiver-in-a-test";

type Place = readonly [string, string, (host: string) => object];
const ofAccount = (fields: object) => ({
  name: "a",
  provider: "claude-console",
  credential: { apiKey: "sk" },
  ...fields,
});

/** Where an admin may enter an address that the relay then calls. */
const PLACES: readonly Place[] = [
  ["an account's address", "/admin/accounts", (host) => ofAccount({ baseUrl: `https://${host}/v1` })],
  [
    "an account's token address",
    "/admin/accounts",
    (host) => ({
      name: "a",
      provider: "claude-oauth",
      credential: { accessToken: "a", refreshToken: "r" },
      tokenUrl: `https://${host}/token`,
    }),
  ],
  [
    "an account's proxy",
    "/admin/accounts",
    (host) => ofAccount({ proxy: { type: "socks5", host, port: 1080 } }),
  ],
  ["a shared proxy", "/admin/proxies", (host) => ({ name: "p", proxy: { type: "http", host, port: 3128 } })],
];

/** Where messages may be sent to; the notifier's object looks at these, with variables of its own. */
const RECEIVERS: readonly (readonly [string, string, (host: string) => Readonly<Record<string, unknown>>])[] =
  [
    ["a webhook", "webhook", (host) => ({ url: `https://${host}/`, secret: SECRET })],
    ["a chat's webhook", "slack", (host) => ({ url: `https://${host}/` })],
    ["a push server", "ntfy", (host) => ({ serverUrl: `https://${host}`, topic: "relay" })],
    [
      "a bot server",
      "telegram",
      (host) => ({ botToken: "123456:ABCDEFGHIJKL", chatId: "1", apiBaseUrl: `https://${host}` }),
    ],
    ["a mail server", "email", (host) => ({ host, from: "a@example.org", to: ["b@example.org"] })],
  ];

describe("C1: an address of the inside", { timeout: 60_000 }, () => {
  const strict = relayWith({ ALLOW_PRIVATE_UPSTREAMS: "false" });

  it.each(PLACES)("is refused as %s, however it is written", async (_, path, bodyFor) => {
    for (const host of INSIDE) {
      const response = await strict(path, {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
        body: JSON.stringify(bodyFor(host)),
      });
      expect(response.status, host).toBe(400);
      expect((await response.json<{ error: { message: string } }>()).error.message).not.toBe("");
    }
  });

  it.each(RECEIVERS)("is refused as %s, however it is written", async (_, type, settingsFor) => {
    const checkFor = (host: string, allowPrivate: boolean) =>
      check({ id: CHANNEL, type, before: null, entered: settingsFor(host) }, {}, allowPrivate);
    for (const host of INSIDE) expect((await checkFor(host, false)).kind, host).toBe("invalid");
    expect((await checkFor("hooks.example.org", false)).kind).toBe("ok");
    expect((await checkFor("127.0.0.1", true)).kind).toBe("ok");
  });

  it.each(["file:///etc/passwd", "gopher://example.org/", "ftp://example.org/", "javascript:alert(1)"])(
    "is refused with another scheme: %s",
    async (baseUrl) => {
      const body = { name: unique("a"), provider: "claude-console", credential: { apiKey: "sk" }, baseUrl };
      const response = await strict("/admin/accounts", {
        method: "POST",
        headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
        body: JSON.stringify(body),
      });
      expect(response.status).toBe(400);
    },
  );
});
