/** What a key may use, on every route of the registry: conformance items 3 and 4. */
import { beforeAll, describe, expect, it } from "vitest";
import { SERVICES, type Service } from "../../../worker/domain/service.ts";
import { PROVIDERS } from "../../../worker/providers/index.ts";
import { createKey, createPool, fetchRelay, unique, upstream, type TestKey } from "../setup/relay.ts";
import { fixtureOf } from "./fixtures.ts";
import { ask, sampleLists, sampleRoutes, type SampleRoute } from "./routes.ts";

const ROUTES = sampleRoutes();
const LISTS = sampleLists();
/** A model that none of the keys below is kept from. */
const OTHER_MODEL = "other-model";
const OTHERS = sampleRoutes(OTHER_MODEL);

/** One account for each route at least, in a group of their own. */
async function createAccounts() {
  const providers = [...new Set(ROUTES.map(({ provider }) => provider))];
  const made = await Promise.all(
    providers.map(async (provider) => ({ provider, ...(await fixtureOf(provider).account("good")) })),
  );
  const group = unique("group");
  await createPool(
    made.map(({ provider, input }) => ({
      ...input,
      groups: [group],
      modelMap: { [modelOf(provider)]: OTHER_MODEL },
    })),
  );
  return { group, subjects: made.map(({ subject }) => subject) };
}

/** By which an account's models tell whose they are. */
const modelOf = (provider: string) => `only-of-${provider}`;

let subjects: readonly string[] = [];
let createBoundKey: (overrides?: Record<string, unknown>) => Promise<TestKey>;

beforeAll(async () => {
  const made = await createAccounts();
  ({ subjects } = made);
  createBoundKey = (overrides = {}) =>
    createKey({ binding: { kind: "group", group: made.group }, ...overrides });
});

/** How many calls of any kind the accounts have seen. */
async function callsSeen(): Promise<number> {
  const stats = await Promise.all(subjects.map((subject) => upstream.statsOf(subject)));
  return stats.reduce((sum, { requests, otherRequests }) => sum + requests + otherRequests, 0);
}

async function expectDenied(response: Response, { dialect }: Pick<SampleRoute, "dialect">, reason: string) {
  expect(response.status).toBe(403);
  expect(await response.json()).toEqual(dialect.denied(reason));
  expect(response.headers.get("retry-after")).toBeNull();
}

async function expectServed(response: Response) {
  expect([response.status, await response.text()]).toEqual([200, expect.any(String)]);
}

describe("permissions", () => {
  const keys = new Map<Service, TestKey>();
  let unlimited: TestKey;

  beforeAll(async () => {
    for (const service of SERVICES) keys.set(service, await createBoundKey({ permissions: [service] }));
    unlimited = await createBoundKey();
  });

  it.each(ROUTES.map((route) => [route.service, route.path, route] as const))(
    "3: for %s alone, and all together, open POST %s, and no others do",
    async (_, _path, route) => {
      const before = await callsSeen();
      await expectServed(await ask(unlimited, route));
      for (const [service, key] of keys) {
        const response = await ask(key, route);
        if (service === route.service) await expectServed(response);
        else await expectDenied(response, route, "service_not_allowed");
      }
      expect((await callsSeen()) - before).toBe(2);
    },
  );

  /** Base URLs that clients of several services have: there a list is of what the key may use. */
  const SHARED = ["", "/api"];
  const list = (key: TestKey, path: string) =>
    fetchRelay(path, { headers: { authorization: `Bearer ${key.key}` } });
  /** The services whose models a list names. */
  const servicesIn = (text: string) => {
    const named = [...PROVIDERS.values()].filter(({ id }) => text.includes(`${modelOf(id)}"`));
    return [...new Set(named.map(({ service }) => service))];
  };

  it.each(LISTS.map((each) => [each.path, each] as const))(
    "3: open GET %s for its own service alone",
    async (path, { prefix, service: own, dialect }) => {
      for (const [service, key] of keys) {
        const response = await list(key, path);
        if (service !== own && !SHARED.includes(prefix)) {
          await expectDenied(response, { dialect }, "service_not_allowed");
        } else {
          expect(response.status).toBe(200);
          expect(servicesIn(await response.text()).filter((each) => each !== service)).toEqual([]);
        }
      }
      const all = await list(unlimited, path);
      expect(all.status).toBe(200);
      expect(servicesIn(await all.text())).toContain(own);
    },
  );
});

describe("models", () => {
  let blocking: TestKey;
  let listing: TestKey;

  beforeAll(async () => {
    blocking = await createBoundKey({
      blockedModels: [...new Set(ROUTES.map(({ dialect }) => dialect.model))],
    });
    listing = await createBoundKey({ allowedModels: ["other-*"] });
  });

  it.each(ROUTES.map((route, index) => [route.path, route, OTHERS[index]] as const))(
    "4: are refused at POST %s: one that is blocked, and one that is not on the list",
    async (_, route, other) => {
      const before = await callsSeen();
      for (const key of [blocking, listing]) {
        const response = await ask(key, route);
        // A call about the account itself asks for no model.
        if (route.model === "") await expectServed(response);
        else await expectDenied(response, route, "model_not_allowed");
        if (other !== undefined) await expectServed(await ask(key, other));
      }
      expect((await callsSeen()) - before).toBe(route.model === "" ? 4 : 2);
    },
  );
});
