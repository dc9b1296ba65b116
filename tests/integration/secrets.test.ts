/** No secret and no prompt at rest or in a log: canaries are planted, and everything that persists is searched. */
import { runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { answer } from "../upstream/behaviour.ts";
import {
  accountStub,
  admin,
  call,
  createPair,
  env,
  keyStub,
  stream,
  unique,
  upstream,
  usageOf,
} from "./setup/relay.ts";

afterEach(() => {
  vi.restoreAllMocks();
});

/** Everything in a Durable Object's storage: its tables and its key-value rows, as text. */
async function contentsOf(stub: DurableObjectStub): Promise<string> {
  return runInDurableObject(stub, (_, state) => {
    const tables = state.storage.sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'",
      )
      .toArray();
    const rows = tables.map(({ name }) => state.storage.sql.exec(`SELECT * FROM "${name}"`).toArray());
    return JSON.stringify([rows, [...state.storage.kv.list()]]);
  });
}

async function databaseText(): Promise<string> {
  const { results } = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
  ).all<{ name: string }>();
  const tables = await Promise.all(
    results.map(({ name }) => env.DB.prepare(`SELECT * FROM "${name}"`).all()),
  );
  return JSON.stringify(tables.map((table) => table.results));
}

async function kvText(): Promise<string> {
  const { keys } = await env.KV.list();
  const values = await Promise.all(keys.map(({ name }) => env.KV.get(name)));
  return JSON.stringify([keys, values]);
}

describe("what persists", () => {
  it("holds no prompt, no completion, no relay key and no credential in clear", async () => {
    const written: string[] = [];
    for (const level of ["log", "info", "warn", "error", "debug"] as const) {
      vi.spyOn(console, level).mockImplementation((...parts: unknown[]) => {
        written.push(parts.map(String).join(" "));
      });
    }
    const [prompt, completion, refreshToken] = [
      unique("canary-prompt"),
      unique("canary-completion"),
      unique("canary-refresh"),
    ];
    const proxyPassword = unique("canary-proxy-password");
    const proxied = { host: "127.0.0.1", port: 1, username: "me", password: proxyPassword };
    const { account: behindProxy, key: proxyKey } = await createPair({
      proxy: { type: "http", ...proxied },
    });
    const { account, key } = await createPair();
    const { account: oauth, key: oauthKey } = await createPair({
      provider: "claude-oauth",
      credential: { accessToken: unique("canary-access"), refreshToken, expiresAt: Date.now() + 3_600_000 },
    });
    const body = { system: `${prompt} system`, messages: [{ role: "user", content: prompt }] };
    await upstream.set(account.secret, answer({ text: completion }));
    await call(key, { body });
    await (await stream(key, { body })).text();
    await upstream.next(account.secret, {
      kind: "cut",
      afterEvents: 5,
      mode: "reset",
      answer: { text: completion },
    });
    await (await stream(key, { body })).text();
    await usageOf(key, 3);
    await admin("POST", `/accounts/${account.id}/reset`);
    await upstream.next(account.secret, { kind: "status", status: 500, body: `${account.secret} ${prompt}` });
    await call(key, { body });
    await call(oauthKey, { body });
    await call(proxyKey, { body });
    const tested = await (await admin("POST", `/accounts/${behindProxy.id}/test`)).text();
    const half = { type: "http", ...proxied, username: null };
    const refused = await (await admin("PATCH", `/accounts/${behindProxy.id}`, { proxy: half })).text();
    await usageOf(key, 4);
    expect((await upstream.statsOf(account.secret)).requests).toBe(4);

    const places: Record<string, string> = {
      logs: written.join("\n"),
      D1: await databaseText(),
      KV: await kvText(),
      account: await contentsOf(accountStub(account)),
      proxiedAccount: await contentsOf(accountStub(behindProxy)),
      adminTest: tested,
      adminRefusal: refused,
      oauthAccount: await contentsOf(accountStub(oauth)),
      key: await contentsOf(keyStub(key)),
      admin: await (await admin("GET", "/accounts?limit=200")).text(),
      adminKeys: await (await admin("GET", "/keys?limit=200")).text(),
    };
    // The search itself works: what should be there is found.
    expect(places.D1).toContain(account.id);
    expect(places.key).toContain(key.id);
    expect(places.account).toContain(account.id);
    expect(places.proxiedAccount).toContain("proxyPassword");
    expect(places.D1).toContain('hasPassword\\":true');
    for (const [place, text] of Object.entries(places)) {
      for (const canary of [
        prompt,
        completion,
        account.secret,
        key.key,
        refreshToken,
        proxyPassword,
        "canary-access",
      ]) {
        expect(text.includes(canary), `${canary} in ${place}`).toBe(false);
      }
    }
  });
});
