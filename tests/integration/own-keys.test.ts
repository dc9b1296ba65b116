/** People's own keys and what those used. Security case A6. */
import { beforeAll, describe, expect, it } from "vitest";
import { apiDocument } from "../../worker/api-document/document.ts";
import { documentedRoutes } from "../../worker/admin/routes.ts";
import type { KeyView } from "../../worker/domain/key.ts";
import type { Person } from "../../worker/domain/person.ts";
import type { UsageView } from "../../worker/domain/usage.ts";
import { createPerson, login, PASSWORD, signedIn, type Call } from "./setup/people.ts";
import {
  admin,
  call,
  createPair,
  env,
  fetchRelay,
  keyView,
  MODEL,
  unique,
  usageOf,
  type TestKey,
} from "./setup/relay.ts";

interface Made {
  readonly apiKey: KeyView & { readonly key: string };
}
interface Stats {
  readonly stats: {
    readonly requests: number;
    readonly cost: number;
    readonly dailyStats: readonly { readonly day: string; readonly requests: number }[];
    readonly modelStats: readonly { readonly model: string; readonly requests: number }[];
  };
}

const make = async (as: Call, body: object = { name: "mine" }): Promise<Made["apiKey"]> => {
  const response = await as("POST", "/users/api-keys", body);
  expect(response.status).toBe(201);
  return (await response.json<Made>()).apiKey;
};

/** What the key's holder is told of it: 401 where it does not work. */
const works = async ({ key }: { readonly key: string }): Promise<number> =>
  (await fetchRelay("/v1/me", { headers: { "x-api-key": key } })).status;

let ada: { person: Person; as: Call };
let bob: { person: Person; as: Call };

async function somebody(role: "user" | "viewer" = "user") {
  const person = await createPerson(role);
  return { person, as: await signedIn(person) };
}

beforeAll(async () => {
  ada = await somebody();
  bob = await somebody();
}, 120_000);

describe("one's own keys", { timeout: 120_000 }, () => {
  it("are made, shown, changed, rotated and deleted", async () => {
    const made = await make(ada.as, { name: "laptop", description: "at home", tags: ["home"], dailyCost: 5 });
    expect(made).toMatchObject({ name: "laptop", ownerId: ada.person.id, dailyCost: 5, suspended: false });
    expect(made).not.toHaveProperty("binding");
    expect(await works(made)).toBe(200);
    const path = `/users/api-keys/${made.id}`;
    const changed = await ada.as("PATCH", path, { name: "desk", dailyCost: 4 });
    expect(await changed.json()).toMatchObject({
      apiKey: { name: "desk", dailyCost: 4, description: "at home" },
    });
    const { apiKey: rotated } = await (await ada.as("POST", `${path}/rotate`)).json<Made>();
    expect([await works(made), await works(rotated)]).toEqual([401, 200]);
    expect(await (await ada.as("GET", path)).text()).not.toContain(rotated.key);
    expect(await keyView(made)).toMatchObject({ ownerId: ada.person.id });
    expect((await ada.as("DELETE", path)).status).toBe(204);
    expect((await ada.as("GET", path)).status).toBe(404);
    expect(await works(rotated)).toBe(401);
  });

  it("may be tightened, but not loosened: an admin may have set what they have", async () => {
    const made = await make(ada.as);
    await admin("PATCH", `/keys/${made.id}`, { dailyCost: 5, enabled: false });
    const path = `/users/api-keys/${made.id}`;
    for (const patch of [{ dailyCost: 6 }, { dailyCost: 0 }, { enabled: true }]) {
      expect((await ada.as("PATCH", path, patch)).status).toBe(403);
    }
    for (const patch of [{ ownerId: bob.person.id }, { binding: null }, { suspended: false }]) {
      expect((await ada.as("PATCH", path, patch)).status).toBe(400);
    }
    expect(await keyView(made)).toMatchObject({ dailyCost: 5, enabled: false });
    await ada.as("DELETE", path);
  });

  it("are no more than their person may have, however many are asked for at once", async () => {
    const { person, as } = await somebody();
    await admin("PATCH", `/people/${person.id}`, { keysMax: 3 });
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, index) =>
        as("POST", "/users/api-keys", { name: `key ${String(index)}` }),
      ),
    );
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([201, 201, 201, ...Array.from({ length: 17 }, () => 409)]);
    const listed = await (await as("GET", "/users/api-keys")).json<{ total: number }>();
    expect(listed.total).toBe(3);
    const audit = await admin("GET", `/audit?actor=${person.id}&action=key.create`);
    expect((await audit.json<{ total: number }>()).total).toBe(3);
  });

  it("can be asked for with the header of older clients", async () => {
    const response = await login(ada.person.username, PASSWORD);
    const { token } = await response.json<{ token: string }>();
    const asked = await fetchRelay("/users/profile", { headers: { "x-user-token": token } });
    expect(await asked.json()).toMatchObject({
      success: true,
      user: { id: ada.person.id, role: "user" },
      config: { maxApiKeysPerUser: 5 },
    });
    expect((await fetchRelay("/users/profile", { headers: { "x-user-token": "nonsense" } })).status).toBe(
      401,
    );
  });
});

describe("A10 the cookie of /users", { timeout: 120_000 }, () => {
  it("A10 changes nothing from a page of another host, and is not sent to the relay's own paths", async () => {
    const signedInAt = await fetchRelay("/users/login", {
      method: "POST",
      headers: { "content-type": "application/json", "cf-connecting-ip": unique("address") },
      body: JSON.stringify({ username: ada.person.username, password: PASSWORD }),
    });
    const written = signedInAt.headers.get("set-cookie") ?? "";
    expect(written).toMatch(/^relay_session=.*; Path=\/users; HttpOnly; Secure; SameSite=Strict$/);
    const [cookie = ""] = written.split(";");
    const ask = (method: string, site: string | null) =>
      fetchRelay("/users/api-keys", {
        method,
        headers: {
          cookie,
          "content-type": "application/json",
          ...(site === null ? {} : { "sec-fetch-site": site }),
        },
        ...(method === "GET" ? {} : { body: "{}" }),
      });
    expect((await ask("GET", "same-origin")).status).toBe(200);
    for (const site of ["cross-site", "same-site", "none", null]) {
      expect((await ask("POST", site)).status).toBe(401);
    }
    // From here it gets as far as its body, which lacks a name.
    expect((await ask("POST", "same-origin")).status).toBe(400);
  });
});

describe("A6 what is somebody else's", { timeout: 120_000 }, () => {
  const paths = Object.entries(apiDocument(documentedRoutes()).paths).flatMap(([path, methods]) =>
    Object.entries(methods)
      .filter(() => path.startsWith("/users/"))
      .map(([method, operation]) => ({ method: method.toUpperCase(), path, operation })),
  );
  const ofOne = paths.filter(({ path }) => path.includes("{id}"));
  const ofMany = paths.filter(({ method, path }) => method === "GET" && !path.includes("{id}"));
  let theirs: { key: TestKey; requestId: string };

  beforeAll(async () => {
    const { key } = await createPair({}, { ownerId: bob.person.id });
    await call(key);
    const [record] = await usageOf(key);
    theirs = { key, requestId: record?.requestId ?? "" };
  }, 60_000);

  it.each(ofOne)("A6 $method $path is as unknown as what never was", async ({ method, path, operation }) => {
    const id = path.includes("usage") ? theirs.requestId : theirs.key.id;
    const body = operation.requestBody === undefined ? undefined : { name: "mine now" };
    const [known, unknown] = await Promise.all([
      ada.as(method, path.replace("{id}", id), body),
      ada.as(
        method,
        path.replace(
          "{id}",
          id.replace(/.$/, (last) => (last === "0" ? "1" : "0")),
        ),
        body,
      ),
    ]);
    expect([known.status, unknown.status]).toEqual([404, 404]);
    const message = async (response: Response) =>
      (await response.json<{ error: { message: string } }>()).error.message;
    expect(await message(known)).toBe(await message(unknown));
    expect(await keyView(theirs.key)).toMatchObject({ name: theirs.key.name, ownerId: bob.person.id });
    expect(await works(theirs.key)).toBe(200);
  });

  it.each(ofMany)("A6 GET $path has nothing of it", async ({ path, operation }) => {
    const filters = operation.parameters.some(({ name }) => name === "keyId")
      ? ["", `?keyId=${theirs.key.id}`]
      : [""];
    for (const filter of filters) {
      const response = await ada.as("GET", path + filter);
      expect(response.status).toBe(200);
      const text = await response.text();
      for (const mark of [theirs.key.id, theirs.requestId, bob.person.id]) expect(text).not.toContain(mark);
    }
    expect(ofMany.length).toBeGreaterThan(4);
  });

  it("is all there for whose it is, but for the accounts that served it", async () => {
    const listed = await (await bob.as("GET", "/users/usage")).json<{ items: UsageView[] }>();
    const record = listed.items.find(({ requestId }) => requestId === theirs.requestId);
    expect(record).toMatchObject({ keyId: theirs.key.id, accountId: null, accountName: null });
    const one = await bob.as("GET", `/users/usage/${theirs.requestId}`);
    expect(await one.json()).toEqual(record);
    const exported = await (await bob.as("GET", "/users/usage/export?format=ndjson")).text();
    expect(JSON.parse(exported.trim())).toEqual(record);
  });
});

describe("usage-stats", { timeout: 120_000 }, () => {
  it("honour the period and the model", async () => {
    const { person, as } = await somebody("viewer");
    const { key } = await createPair({}, { ownerId: person.id });
    await call(key);
    await usageOf(key);
    const before = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString().slice(0, 10);
    for (const days of [3, 20, 60, 200]) {
      await env.DB.prepare(
        `INSERT INTO usage_day (day, key_id, account_id, model, protocol, provider, requests, failed, unpriced, input,
           output, cache_write_5m, cache_write_1h, cache_read, web_searches, cost)
         SELECT ?2, key_id, account_id, 'older-model', protocol, provider, 1, 0, 0, 0, 0, 0, 0, 0, 0, 5
         FROM usage_day WHERE key_id = ?1 LIMIT 1`,
      )
        .bind(key.id, before(days))
        .run();
    }
    const stats = async (query: string) =>
      (await (await as("GET", `/users/usage-stats${query}`)).json<Stats>()).stats;
    const requests = async (query: string) => (await stats(query)).requests;
    expect(await requests("?period=day")).toBe(1);
    expect(await requests("?period=week")).toBe(2);
    expect(await requests("?period=month")).toBe(3);
    expect(await requests("?period=quarter")).toBe(4);
    expect(await requests(`?period=quarter&model=${MODEL}`)).toBe(1);
    const older = await stats("?period=quarter&model=older-model");
    expect(older).toMatchObject({
      requests: 3,
      cost: 15,
      modelStats: [{ model: "older-model", requests: 3 }],
    });
    expect(older.dailyStats).toHaveLength(90);
    expect(older.dailyStats.filter((day) => day.requests > 0)).toHaveLength(3);
    expect((await as("GET", "/users/usage-stats?period=year")).status).toBe(400);
  });
});

describe("a person who is switched off", { timeout: 120_000 }, () => {
  it("takes their keys along, and brings them back", async () => {
    const { person, as } = await somebody();
    const [key, off] = [await make(as), await make(as, { name: "off", enabled: false })];
    expect((await admin("PATCH", `/people/${person.id}`, { enabled: false })).status).toBe(200);
    expect((await as("GET", "/users/api-keys")).status).toBe(401);
    expect(await works(key)).toBe(401);
    expect(await keyView(key)).toMatchObject({ suspended: true, enabled: true });
    // No change to the key gets around it.
    await admin("PATCH", `/keys/${key.id}`, { enabled: true, description: "still theirs" });
    expect(await keyView(key)).toMatchObject({ suspended: true });
    expect(await works(key)).toBe(401);
    const { key: given } = await createPair({}, { ownerId: person.id });
    expect(await works(given)).toBe(401);
    await admin("PATCH", `/people/${person.id}`, { enabled: true });
    expect([await works(key), await works(given), await works(off)]).toEqual([200, 200, 401]);
    expect(await keyView(key)).toMatchObject({ suspended: false });
  });

  it("cannot be switched on again by a sign-in that was on its way", async () => {
    const { person } = await somebody();
    const signingIn = login(person.username, PASSWORD);
    await admin("PATCH", `/people/${person.id}`, { enabled: false });
    await signingIn;
    expect(await (await admin("GET", `/people/${person.id}`)).json()).toMatchObject({ enabled: false });
  });
});

describe("a person who is deleted", { timeout: 120_000 }, () => {
  it("leaves keys in the bin that work no more, and what they used", async () => {
    const { person, as } = await somebody();
    const key = await make(as);
    const { key: used } = await createPair({}, { ownerId: person.id });
    await call(used);
    await usageOf(used);
    expect((await admin("DELETE", `/people/${person.id}`)).status).toBe(204);
    expect([await works(key), await works(used)]).toEqual([401, 401]);
    const listed = await (await admin("GET", "/keys?limit=200")).json<{ items: KeyView[] }>();
    expect(listed.items.map(({ id }) => id)).not.toContain(key.id);
    const row = await env.DB.prepare("SELECT config ->> 'deletedAt' AS at FROM relay_key WHERE id = ?")
      .bind(key.id)
      .first<{ at: number | null }>();
    expect(row?.at).toEqual(expect.any(Number));
    expect(await usageOf(used)).toHaveLength(1);
  });
});
