/** The audit log: every change is in it, no secret is, and nobody alters it unseen. Security cases A6 and C9. */
import { env as rawEnv } from "cloudflare:workers";
import { beforeAll, describe, expect, it } from "vitest";
import type { AuditEntry } from "../../worker/domain/audit.ts";
import { anchorAudit } from "../../worker/cron/anchor-audit.ts";
import { parseEnv } from "../../worker/env.ts";
import type { Verification } from "../../worker/storage/audit-verify.ts";
import { createPerson, login, PASSWORD, signedIn } from "./setup/people.ts";
import { admin, createAccount, createKey, env, relayWith, unique } from "./setup/relay.ts";

async function entries(query: string): Promise<AuditEntry[]> {
  const response = await admin("GET", `/audit?limit=200&${query}`);
  expect(response.status).toBe(200);
  return (await response.json<{ items: AuditEntry[] }>()).items;
}

const actionsOf = async (target: string) =>
  (await entries(`target=${encodeURIComponent(target)}`)).map(({ action }) => action).toReversed();

const verify = async (query = "") => (await admin("GET", `/audit/verify${query}`)).json<Verification>();

describe("every change", { timeout: 30_000 }, () => {
  it("of a key is in the log, with who made it and what it changed", async () => {
    const person = await createPerson("admin");
    const call = await signedIn(person);
    const key = await (await call("POST", "/keys", { name: "first" })).json<{ id: string; key: string }>();
    await call("PATCH", `/keys/${key.id}`, { name: "second", concurrency: 3 });
    const rotated = await (await call("POST", `/keys/${key.id}/rotate`)).json<{ key: string }>();
    await call("DELETE", `/keys/${key.id}`);
    const found = (await entries(`target=${key.id}`)).toReversed();
    expect(found.map(({ action }) => action)).toEqual([
      "key.create",
      "key.update",
      "key.rotate",
      "key.delete",
    ]);
    for (const entry of found) expect(entry.actor).toEqual({ id: person.id, name: person.username });
    expect(found[0]).toMatchObject({ before: null, after: { name: "first", concurrency: 0 } });
    expect(found[1]).toMatchObject({
      before: { name: "first", concurrency: 0 },
      after: { name: "second", concurrency: 3 },
    });
    expect(Object.keys(found[1]?.after ?? {})).toEqual(["name", "concurrency"]);
    expect(found[2]?.after).toEqual({
      hint: rotated.key.slice(-6),
      fingerprint: "***",
      previous: { hash: "***", until: expect.any(Number) as number },
    });
    expect(found[3]).toMatchObject({
      before: { deletedAt: null },
      after: { deletedAt: expect.any(Number) as number },
    });
  });

  it("of accounts, groups and people is in the log", async () => {
    const credential = { accessToken: unique("access"), refreshToken: unique("refresh"), expiresAt: null };
    const tokenUrl = `${env.TEST_UPSTREAM_URL}/oauth/token`;
    const account = await createAccount({ provider: "claude-oauth", credential, tokenUrl });
    await admin("PATCH", `/accounts/${account.id}`, { priority: 7, credential });
    await admin("POST", `/accounts/${account.id}/reset`);
    await admin("POST", `/accounts/${account.id}/refresh`);
    await admin("DELETE", `/accounts/${account.id}`);
    expect(await actionsOf(account.id)).toEqual([
      "account.create",
      "account.update",
      "account.reset",
      "account.refresh",
      "account.delete",
    ]);
    const [update] = await entries(`target=${account.id}&action=account.update`);
    expect(update).toMatchObject({ before: { priority: 50 }, after: { priority: 7, credential: "***" } });

    const group = unique("group");
    await admin("PUT", `/groups/${group}`, { policy: "least_loaded" });
    await admin("DELETE", `/groups/${group}`);
    expect((await admin("DELETE", `/groups/${group}`)).status).toBe(404);
    expect(await actionsOf(group)).toEqual(["group.save", "group.delete"]);

    const person = await createPerson("viewer");
    await admin("PATCH", `/people/${person.id}`, { role: "user", password: "another password" });
    await admin("DELETE", `/people/${person.id}`);
    expect(await actionsOf(person.id)).toEqual(["person.create", "person.update", "person.delete"]);
    const [changed] = await entries(`target=${person.id}&action=person.update`);
    expect(changed).toMatchObject({ before: { role: "viewer" }, after: { role: "user", password: "***" } });
  });

  it("that is refused leaves no entry", async () => {
    const total = async () => (await admin("GET", "/audit?limit=1")).json<{ total: number }>();
    const person = await createPerson("viewer");
    const before = await total();
    await admin("POST", "/people", { username: person.username, password: PASSWORD });
    await admin("POST", "/keys", { name: "" });
    await admin("POST", "/accounts", { name: "x", provider: "claude-console", credential: {} });
    expect(await total()).toEqual({ ...before, items: expect.any(Array) as unknown[] });
  });
});

describe("sessions", { timeout: 30_000 }, () => {
  it("are in the log when they begin and end", async () => {
    const person = await createPerson("viewer");
    const call = await signedIn(person);
    await call("POST", "/logout");
    await call("POST", "/logout");
    expect(await actionsOf(person.id)).toEqual(["person.create", "session.open", "session.close"]);
  });

  it("that are refused are in it each time, and once when somebody goes on guessing", async () => {
    const person = await createPerson("viewer");
    const address = unique("address");
    await Promise.all(Array.from({ length: 12 }, () => login(person.username, "wrong", address)));
    const found = await actionsOf(person.id);
    expect(found.filter((action) => action === "session.refuse")).toHaveLength(5);
    expect(found.filter((action) => action === "session.throttle")).toHaveLength(1);
    const [throttled] = await entries(`target=${person.id}&action=session.throttle`);
    expect(throttled).toMatchObject({ actor: { id: null, name: "unknown" }, after: { address } });
  });

  it("show no name that nobody has: it may be a password in the wrong field", async () => {
    const typed = unique("my-secret-password");
    await login(typed, "x");
    const { results } = await env.DB.prepare("SELECT * FROM audit_entry").all();
    expect(JSON.stringify(results)).not.toContain(typed);
    expect((await actionsOf("unknown")).at(-1)).toBe("session.refuse");
  });
});

describe("the log", { timeout: 30_000 }, () => {
  it("is for admins and owners, who can search it", async () => {
    const viewer = await signedIn(await createPerson("viewer"));
    expect((await viewer("GET", "/audit")).status).toBe(403);
    expect((await viewer("GET", "/audit/verify")).status).toBe(403);
    const person = await createPerson("admin");
    const call = await signedIn(person);
    expect((await call("GET", "/audit")).status).toBe(200);
    await call("POST", "/keys", { name: "mine" });
    const mine = await entries(`actor=${person.id}&action=key.create`);
    expect(mine.map(({ actor }) => actor.id)).toEqual([person.id]);
    const at = mine[0]?.at ?? 0;
    const within = (from: number, to: number) =>
      entries(`actor=${person.id}&action=key.create&from=${String(from)}&to=${String(to)}`);
    expect(await within(at, at + 1)).toHaveLength(1);
    expect(await within(at + 1, at + 2)).toHaveLength(0);
    expect(await within(at - 1, at)).toHaveLength(0);
    expect((await call("GET", "/audit?from=yesterday")).status).toBe(400);
  });

  it("holds no secret", async () => {
    const account = await createAccount({
      proxy: { type: "socks5", host: "127.0.0.1", port: 1, username: "u", password: "canary-proxy-pass" },
    });
    await admin("PATCH", `/accounts/${account.id}`, {
      credential: { apiKey: "canary-credential" },
      proxy: "socks5://u:canary-other-pass@127.0.0.1:2",
    });
    const key = await createKey();
    const rotated = await (await admin("POST", `/keys/${key.id}/rotate`)).json<{ key: string }>();
    const person = await createPerson("viewer");
    await admin("PATCH", `/people/${person.id}`, { password: "canary-password" });
    const { results } = await env.DB.prepare("SELECT * FROM audit_entry").all();
    const { hash } = (await env.DB.prepare("SELECT hash FROM relay_key WHERE id = ?")
      .bind(key.id)
      .first<{ hash: string }>()) ?? { hash: "-" };
    const text = JSON.stringify(results);
    const secrets = [account.secret, "canary-", PASSWORD, key.key, rotated.key, hash, hash.slice(0, 16)];
    for (const secret of secrets) expect(text.includes(secret), secret).toBe(false);
    expect(text).toContain("proxyPassword");
  });

  it("stays one chain when many change things at once, and loses none", async () => {
    const keys = await Promise.all(Array.from({ length: 25 }, () => createKey()));
    const created = await entries("action=key.create");
    const targets = new Set(created.map(({ target }) => target));
    for (const key of keys) expect(targets.has(key.id)).toBe(true);
    expect(await verify()).toMatchObject({ ok: true, more: false });
  });

  it("has the change and its entry, or neither", async () => {
    const account = await createAccount();
    await env.DB.prepare(
      "CREATE TRIGGER full BEFORE INSERT ON audit_entry BEGIN SELECT raise(ABORT, 'full'); END",
    ).run();
    try {
      expect((await admin("PATCH", `/accounts/${account.id}`, { name: "renamed" })).status).toBe(500);
    } finally {
      await env.DB.prepare("DROP TRIGGER full").run();
    }
    expect(await (await admin("GET", `/accounts/${account.id}`)).json()).toMatchObject({
      name: account.name,
    });
    expect(await actionsOf(account.id)).toEqual(["account.create"]);
  });
});

describe("an altered log", { timeout: 30_000 }, () => {
  const run = (sql: string) => env.DB.prepare(sql).run();
  let last = 0;

  beforeAll(async () => {
    await createKey();
    await createKey();
    const state = await verify();
    if (!state.ok) throw new Error("the log is not whole to begin with");
    last = state.through.seq;
    await run("CREATE TABLE kept AS SELECT * FROM audit_entry");
    expect(last).toBeGreaterThan(4);
  });

  /** What `verify` says after the alteration; the log is put back. */
  async function altered(...statements: string[]): Promise<Verification> {
    for (const sql of statements) await run(sql);
    try {
      return await verify();
    } finally {
      await run("DELETE FROM audit_entry");
      await run("INSERT INTO audit_entry SELECT * FROM kept");
    }
  }

  it.each([
    "at = at + 1",
    "actor_id = 'per_11111111'",
    "actor_name = 'somebody'",
    "action = 'key.delete'",
    "target = 'key_00000000'",
    "before = '{}'",
    "after = '{}'",
    "hash = 'ff'",
  ])("shows a changed row (%s)", async (assignment) => {
    const seq = last - 1;
    const result = await altered(`UPDATE audit_entry SET ${assignment} WHERE seq = ${String(seq)}`);
    expect(result).toEqual({ ok: false, brokenAt: seq, problem: "changed" });
  });

  it("shows a row that was removed, and one whose followers were moved up", async () => {
    const remove = `DELETE FROM audit_entry WHERE seq = ${String(last - 2)}`;
    expect(await altered(remove)).toEqual({ ok: false, brokenAt: last - 2, problem: "missing" });
    const close = `UPDATE audit_entry SET seq = seq - 1 WHERE seq > ${String(last - 2)}`;
    expect(await altered(remove, close)).toEqual({ ok: false, brokenAt: last - 2, problem: "changed" });
    expect(await altered("DELETE FROM audit_entry WHERE seq = 1")).toMatchObject({ brokenAt: 1 });
  });

  it("shows rows that changed places", async () => {
    const [a, b] = [String(last - 2), String(last - 1)];
    const result = await altered(
      `UPDATE audit_entry SET seq = -1 WHERE seq = ${a}`,
      `UPDATE audit_entry SET seq = ${a} WHERE seq = ${b}`,
      `UPDATE audit_entry SET seq = ${b} WHERE seq = -1`,
    );
    expect(result).toEqual({ ok: false, brokenAt: last - 2, problem: "changed" });
  });

  const NEW_KEY = "new1:bm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm5ubm4=";
  const OLD_KEY = "test1:dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHR0dHQ=";

  /** What a relay with other keys finds, once it has written an entry itself. */
  async function verifiedWith(keyring: string): Promise<Verification> {
    const other = relayWith({ ENCRYPTION_KEYS: keyring });
    const { token } = await (
      await other("/admin/login", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ username: "admin", password: "password-of-the-integration-tests" }),
      })
    ).json<{ token: string }>();
    const response = await other("/admin/audit/verify", { headers: { authorization: `Bearer ${token}` } });
    await run(`DELETE FROM audit_entry WHERE seq > ${String(last)}`);
    return response.json<Verification>();
  }

  it("is told from one that a newer key goes on with", async () => {
    const result = await verifiedWith(`${NEW_KEY},${OLD_KEY}`);
    expect(result).toMatchObject({ ok: true, through: { seq: last + 1 } });
  });

  it("shows a row that was hashed with a key that is gone", async () => {
    expect(await verifiedWith(NEW_KEY)).toEqual({ ok: false, brokenAt: 1, problem: "unknown_key" });
  });

  it("shows an end that was cut off, once it was anchored, whatever was written since", async () => {
    const now = Date.now();
    await anchorAudit(parseEnv(rawEnv), now);
    const cut = `DELETE FROM audit_entry WHERE seq > ${String(last - 2)}`;
    expect(await altered(cut)).toEqual({ ok: false, brokenAt: last - 1, problem: "cut" });
    await run(cut);
    await createKey();
    await createKey();
    await createKey();
    await anchorAudit(parseEnv(rawEnv), now);
    expect(await verify()).toEqual({ ok: false, brokenAt: last, problem: "cut" });
    await run("DELETE FROM audit_entry");
    await run("INSERT INTO audit_entry SELECT * FROM kept");
    expect(await verify(`?after=${String(last - 1)}`)).toMatchObject({ ok: true, through: { seq: last } });
    expect(await verify("?after=1000000")).toEqual({ ok: false, brokenAt: 1_000_000, problem: "missing" });
  });
});
