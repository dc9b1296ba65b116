/** The key that secrets are sealed with is replaced. Security cases E10 and F39. */
import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { parseKeyring } from "../../worker/storage/seal.ts";
import { accountStub, accountView, admin, call, createPair, env, type TestAccount } from "./setup/relay.ts";

interface Keyring {
  readonly newest: string;
  readonly keys: readonly {
    id: string;
    inRing: boolean;
    objects: number;
    seeds: number;
    auditEntries: number;
  }[];
  readonly left: number;
}

const key = (letter: string) => btoa(letter.repeat(32));
const OLD = `test0:${key("o")}`;
const GONE = `gone:${key("g")}`;

/** Seals an account's credential with a key, and puts the object away, as a deployment does. */
async function sealWith(account: TestAccount, ring: string): Promise<string> {
  const keyring = await parseKeyring(ring);
  const sealed = await keyring.seal(JSON.stringify({ apiKey: account.secret }), account.id);
  await runInDurableObject(accountStub(account), (_, { storage }) => {
    storage.kv.put("credential", { ...storage.kv.get<object>("credential"), sealed });
  });
  await evictDurableObject(accountStub(account));
  return sealed;
}

const sealedOf = (account: TestAccount) =>
  runInDurableObject(
    accountStub(account),
    (_, { storage }) => storage.kv.get<{ sealed: string }>("credential")?.sealed,
  );

const keyring = async () => (await admin("GET", "/keyring")).json<Keyring>();
async function rotate() {
  const response = await admin("POST", "/keyring/rotate");
  expect(response.status).toBe(200);
  return response.json<{ checked: number; left: number }>();
}
const forgetChecks = () => env.DB.prepare("DELETE FROM keyring_check").run();

describe("a keyring with a new key", () => {
  it("F39 serves with what the old one sealed, and seals it anew", async () => {
    const { account, key: relayKey } = await createPair();
    const before = await sealWith(account, OLD);
    expect((await call(relayKey)).status).toBe(200);
    const after = await sealedOf(account);
    expect(after).not.toBe(before);
    expect(after).toMatch(/^test1\./);
  });

  it("F39 moves every object, and says when the old key is no longer needed", async () => {
    await forgetChecks();
    const { account } = await createPair();
    await sealWith(account, OLD);
    expect((await keyring()).left).toBeGreaterThan(1);
    const { checked, left } = await rotate();
    expect(checked).toBeGreaterThan(1);
    expect(left).toBe(0);
    expect(await sealedOf(account)).toMatch(/^test1\./);
    const { newest, keys } = await keyring();
    expect(newest).toBe("test1");
    expect(keys.find(({ id }) => id === "test0")).toMatchObject({
      inRing: true,
      objects: 0,
      auditEntries: 0,
    });
    expect(keys.find(({ id }) => id === "test1")?.auditEntries).toBeGreaterThan(0);
    // Nothing is left to do, and nothing is asked.
    expect(await rotate()).toEqual({ checked: 0, left: 0 });
    expect(JSON.stringify(await keyring())).not.toContain(key("t").slice(0, 20));
  });
});

describe("what else is sealed", () => {
  const proxyOf = (id: string) => env.PROXIES.get(env.PROXIES.idFromName(id));

  it("F39 moves to the new key: shared proxies' passwords, and seeds of apps", async () => {
    await forgetChecks();
    const input = { name: "exit", proxy: "socks5://me:secret-of-the-proxy@127.0.0.1:1" };
    const { id } = await (await admin("POST", "/proxies", input)).json<{ id: string }>();
    const ring = await parseKeyring(OLD);
    const password = await ring.seal("secret-of-the-proxy", `${id}/proxy`);
    await runInDurableObject(proxyOf(id), (_, { storage }) => {
      storage.kv.put("proxyPassword", password);
    });
    const person = "per_00000042";
    await env.DB.prepare("INSERT INTO person_totp (person_id, seed) VALUES (?, ?)")
      .bind(person, await ring.seal("a seed", `totp:${person}`))
      .run();
    const before = (await keyring()).keys.find((each) => each.id === "test0");
    expect(before?.seeds).toBe(1);
    expect((await rotate()).left).toBe(0);
    const sealed = await runInDurableObject(proxyOf(id), (_, { storage }) =>
      storage.kv.get<string>("proxyPassword"),
    );
    expect(sealed).toMatch(/^test1\./);
    const after = (await keyring()).keys.find((each) => each.id === "test0");
    expect(after).toMatchObject({ seeds: 0, objects: 0 });
    const row = await env.DB.prepare("SELECT seed FROM person_totp WHERE person_id = ?")
      .bind(person)
      .first<string>("seed");
    expect(row).toMatch(/^test1\./);
  });
});

describe("a keyring without the key", () => {
  it("E10 keeps the account out, says why, loses nothing, and is asked again when the key may be back", async () => {
    await forgetChecks();
    const { account, key: relayKey } = await createPair();
    const sealed = await sealWith(account, GONE);
    expect((await call(relayKey)).status).toBe(529);
    const { status } = await accountView(account);
    expect(status?.availability).toMatchObject({ kind: "disabled" });
    expect(status?.refreshError).toContain('"gone", which is not in ENCRYPTION_KEYS');
    const renamed = await admin("PATCH", `/accounts/${account.id}`, { name: "other" });
    expect(renamed.status).toBe(400);
    expect(await renamed.text()).toContain("put that key back");
    expect((await admin("POST", `/accounts/${account.id}/reset`)).status).toBe(200);
    expect(await sealedOf(account)).toBe(sealed);
    expect((await rotate()).left).toBe(1);
    expect((await keyring()).keys.find(({ id }) => id === "gone")).toMatchObject({
      inRing: false,
      objects: 1,
    });
    // The key is back: what it sealed opens.
    await sealWith(account, OLD);
    expect((await call(relayKey)).status).toBe(200);
    expect(await rotate()).toEqual({ checked: 1, left: 0 });
  });

  it("E10 takes a new credential in its place", async () => {
    const { account, key: relayKey } = await createPair();
    await sealWith(account, GONE);
    const credential = { apiKey: account.secret };
    expect((await admin("PATCH", `/accounts/${account.id}`, { credential })).status).toBe(200);
    expect((await call(relayKey)).status).toBe(200);
  });

  it("E10 keeps a channel's secrets, and says why it cannot be changed", async () => {
    const settings = { url: "https://127.0.0.1:1/", secret: "secret-of-the-receiver" };
    const created = await admin("POST", "/notifications", { name: "hook", type: "webhook", settings });
    const { id } = await created.json<{ id: string }>();
    const stub = env.NOTIFIER.get(env.NOTIFIER.idFromName("notifier"));
    const sealed = await (await parseKeyring(GONE)).seal('{"secret":"x"}', id);
    await runInDurableObject(stub, (_, { storage }) => {
      storage.kv.put(`secrets/${id}`, sealed);
    });
    const shown = await (await admin("GET", `/notifications/${id}`)).json<{ secrets: object }>();
    expect(JSON.stringify(shown.secrets)).toContain("put that key back");
    const patch = { settings: { url: "https://127.0.0.1:2/" } };
    expect((await admin("PATCH", `/notifications/${id}`, patch)).status).toBe(400);
    const kept = await runInDurableObject(stub, (_, { storage }) => storage.kv.get(`secrets/${id}`));
    expect(kept).toBe(sealed);
  });
});
