/** Every route of the admin API, as its document has them, and what may be sent to each. */
import { expect } from "vitest";
import { apiDocument, type Operation } from "../../../worker/api-document/document.ts";
import { documentedRoutes } from "../../../worker/admin/routes.ts";
import type { Person } from "../../../worker/domain/person.ts";
import { createPerson, login, PASSWORD, type Call } from "./people.ts";
import {
  admin,
  call,
  createAccount,
  createKey,
  createPair,
  env,
  eventually,
  unique,
  usageOf,
} from "./relay.ts";

export const document = apiDocument(documentedRoutes());
/** Holders of keys have tests of their own: public-page.test.ts. */
const isHolders = ({ security }: Operation) => security.some((each) => "key" in each);

export const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods)
    .filter(([, operation]) => !isHolders(operation))
    .map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path: path.replace("/admin", ""),
      template: path.replace(/\{(\w+)\}/g, ":$1"),
      operation,
    })),
);
export type Walked = (typeof routes)[number];

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

const PROXY = { name: "exit", proxy: "socks5://me:secret-of-the-proxy@127.0.0.1:1" };

async function createProxy(): Promise<{ readonly id: string }> {
  const response = await admin("POST", "/proxies", PROXY);
  expect(response.status).toBe(201);
  return response.json();
}

async function createCard(): Promise<{ readonly id: string }> {
  const response = await admin("POST", "/cards", { cost: 1 });
  expect(response.status).toBe(201);
  const [card] = (await response.json<{ items: { id: string }[] }>()).items;
  return card ?? { id: "" };
}

/** Dollars per million tokens. */
const PRICE = { input: 1, output: 2, cacheRead: 0.1, cacheWrite5m: 1.25 };

/** Of the owner, besides the one that the walk goes on with. */
async function otherSession({ person, as }: Walker): Promise<string> {
  await login(person.username, PASSWORD);
  const response = await as("GET", "/me/sessions");
  const { items } = await response.json<{ items: { id: string; isCurrent: boolean }[] }>();
  return items.find(({ isCurrent }) => !isCurrent)?.id ?? "";
}

/** Who walks, with every right. */
export interface Walker {
  readonly person: Person;
  readonly as: Call;
}

export type Samples = Readonly<Record<string, { readonly path?: string; readonly body?: object }>>;

/** What is sent to each route that needs more than its path, by its name in the document. */
export async function routeSamples(walker: Walker): Promise<Samples> {
  const { person: owner } = walker;
  const { account, key } = await createPair();
  await call(key);
  const [record] = await usageOf(key);
  const [doomed, person] = [await createAccount(), await createPerson("viewer")];
  const other = await createPerson("viewer");
  const { key: doomedKey } = await createPair();
  const [binned, ending] = [await createKey(), await createKey({ expiresAt: 2e12 })];
  await admin("DELETE", `/keys/${binned.id}`);
  const swept = await createKey();
  const [tag, doomedTag] = [unique("tag"), unique("tag")];
  await createKey({ tags: [tag, doomedTag] });
  const [channel, doomedChannel] = [await createChannel(), await createChannel()];
  const spendable = await createKey({ totalCost: 5 });
  const [card, revokedCard, doomedCard, usedCard] = [
    await createCard(),
    await createCard(),
    await createCard(),
    await createCard(),
  ];
  const redeemedCard = await admin("POST", `/cards/${usedCard.id}/redeem`, { keyId: spendable.id });
  const redemption = await redeemedCard.json<{ id: string }>();
  const at = {
    channel: `/notifications/${channel.id}`,
    account: `/accounts/${account.id}`,
    key: `/keys/${key.id}`,
    person: `/people/${person.id}`,
  };
  const [group] = account.groups;
  const renewable = await createAccount({
    provider: "claude-oauth",
    credential: { accessToken: unique("access"), refreshToken: unique("refresh"), expiresAt: null },
    tokenUrl: `${env.TEST_UPSTREAM_URL}/oauth/token`,
  });
  const [proxy, doomedProxy] = [await createProxy(), await createProxy()];
  const { key: own } = await createPair({}, { ownerId: owner.id });
  const { key: doomedOwn } = await createPair({}, { ownerId: owner.id });
  await call(own);
  const [ownRecord] = await usageOf(own);
  const [captured, watched] = [await createKey(), (await createPair()).key];
  await admin("POST", "/captures", { keyId: watched.id, minutes: 5 });
  await (await call(watched)).text();
  const { items: said } = await eventually(
    async () => (await admin("GET", `/captures/${watched.id}`)).json<{ items: { requestId: string }[] }>(),
    ({ items }) => items.length > 0,
  );
  return {
    "POST /admin/me/passkeys/options": { body: { password: PASSWORD } },
    "PATCH /admin/me": { body: { name: "Ada" } },
    "DELETE /admin/me/sessions/{id}": { path: `/me/sessions/${await otherSession(walker)}` },
    "DELETE /admin/people/{id}/second-factor": { path: `${at.person}/second-factor` },
    "POST /users/login": { body: { username: person.username, password: PASSWORD } },
    "PATCH /users/profile": { body: { name: "Countess" } },
    "POST /users/api-keys": { body: { name: "mine", totalCost: 5 } },
    "GET /users/api-keys/{id}": { path: `/users/api-keys/${own.id}` },
    "PATCH /users/api-keys/{id}": { path: `/users/api-keys/${own.id}`, body: { totalCost: 2 } },
    "POST /users/api-keys/{id}/rotate": { path: `/users/api-keys/${own.id}/rotate` },
    "DELETE /users/api-keys/{id}": { path: `/users/api-keys/${doomedOwn.id}` },
    "GET /users/usage/{id}": { path: `/users/usage/${ownRecord?.requestId ?? ""}` },
    "POST /admin/login": { body: { username: person.username, password: PASSWORD } },
    "GET /admin/accounts/{id}": { path: at.account },
    "POST /admin/accounts": {
      body: { name: "new", provider: "claude-console", credential: { apiKey: "sk-ant-test" } },
    },
    "PATCH /admin/accounts/{id}": { path: at.account, body: { priority: 3 } },
    "DELETE /admin/accounts/{id}": { path: `/accounts/${doomed.id}` },
    "POST /admin/accounts/{id}/test": { path: `${at.account}/test` },
    "POST /admin/accounts/{id}/reset": { path: `${at.account}/reset` },
    "POST /admin/accounts/{id}/refresh": { path: `/accounts/${renewable.id}/refresh` },
    "GET /admin/accounts/{id}/errors": { path: `${at.account}/errors` },
    "DELETE /admin/accounts/{id}/errors": { path: `${at.account}/errors` },
    "GET /admin/accounts/{id}/balance": { path: `${at.account}/balance` },
    "GET /admin/accounts/{id}/keys": { path: `${at.account}/keys` },
    "POST /admin/proxies": { body: PROXY },
    "GET /admin/proxies/{id}": { path: `/proxies/${proxy.id}` },
    "PATCH /admin/proxies/{id}": { path: `/proxies/${proxy.id}`, body: { name: "renamed" } },
    "DELETE /admin/proxies/{id}": { path: `/proxies/${doomedProxy.id}` },
    "POST /admin/proxies/{id}/test": { path: `/proxies/${proxy.id}/test`, body: {} },
    "POST /admin/accounts/oauth/start": { body: { provider: "claude-oauth" } },
    "PUT /admin/groups/{name}": { path: `/groups/${group ?? ""}`, body: { policy: "least_loaded" } },
    "DELETE /admin/groups/{name}": { path: `/groups/${group ?? ""}` },
    "POST /admin/keys": { body: { name: unique("key"), dailyCost: 5 } },
    "GET /admin/keys/{id}": { path: at.key },
    "PATCH /admin/keys/{id}": { path: at.key, body: { totalCost: 2 } },
    "POST /admin/keys/{id}/rotate": { path: `${at.key}/rotate` },
    "DELETE /admin/keys/{id}": { path: `/keys/${doomedKey.id}` },
    "POST /admin/keys/{id}/restore": { path: `/keys/${binned.id}/restore` },
    "POST /admin/keys/{id}/extend": {
      path: `/keys/${ending.id}/extend`,
      body: { amount: 1, unit: "months" },
    },
    "POST /admin/keys/{id}/reset-usage": { path: `${at.key}/reset-usage` },
    "POST /admin/keys/bulk": { body: { name: unique("bulk"), count: 2 } },
    "PATCH /admin/keys/bulk": { body: { ids: [key.id, "key_00000009"], changes: { dailyCost: 7 } } },
    "POST /admin/keys/bulk/delete": { body: { ids: [swept.id] } },
    "PATCH /admin/key-tags/{tag}": { path: `/key-tags/${tag}`, body: { name: `${tag}-new` } },
    "DELETE /admin/key-tags/{tag}": { path: `/key-tags/${doomedTag}` },
    "POST /admin/cards": { body: { cost: 5, count: 2 } },
    "GET /admin/cards/{id}": { path: `/cards/${card.id}` },
    "POST /admin/cards/{id}/redeem": { path: `/cards/${card.id}/redeem`, body: { keyId: spendable.id } },
    "POST /admin/cards/{id}/revoke": { path: `/cards/${revokedCard.id}/revoke` },
    "DELETE /admin/cards/{id}": { path: `/cards/${doomedCard.id}` },
    "POST /admin/redemptions/{id}/revoke": { path: `/redemptions/${redemption.id}/revoke` },
    "POST /admin/people": { body: { username: unique("p").slice(0, 40), password: PASSWORD } },
    "GET /admin/people/{id}": { path: at.person },
    "GET /admin/people/{id}/spending": { path: `${at.person}/spending` },
    "PATCH /admin/people/{id}": { path: at.person, body: { name: "Ada" } },
    "DELETE /admin/people/{id}": { path: `/people/${other.id}` },
    "GET /admin/usage/breakdown": { path: "/usage/breakdown?by=model" },
    "POST /admin/usage/reconcile": { body: { from: String(Date.now() - 60_000), to: String(Date.now()) } },
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
    "POST /admin/sign-in/ldap-test": { body: {} },
    "POST /admin/captures": { body: { keyId: captured.id, minutes: 5 } },
    "GET /admin/captures/{keyId}": { path: `/captures/${watched.id}` },
    "GET /admin/captures/{keyId}/{requestId}": {
      path: `/captures/${watched.id}/${said[0]?.requestId ?? ""}`,
    },
    "DELETE /admin/captures/{keyId}": { path: `/captures/${captured.id}` },
    "GET /admin/requests/{id}": { path: `/requests/${record?.requestId ?? ""}` },
  };
}
