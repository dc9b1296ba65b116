/** Capturing what one key's requests say: sealed, for admins only, for a while. Security case C10. */
import { runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { CaptureContract } from "../../durable-objects/capture/contract.ts";
import type { Capture, CaptureContent, Captured } from "../../worker/domain/capture.ts";
import { answer, overloaded } from "../upstream/behaviour.ts";
import { createPerson, signedIn } from "./setup/people.ts";
import {
  admin,
  call,
  createPair,
  env,
  eventually,
  fetchRelay,
  idle,
  keyView,
  stream,
  unique,
  upstream,
  usageOf,
  type TestKey,
} from "./setup/relay.ts";

type CaptureView = Capture & { readonly running: boolean; readonly kept: number };

const DAY_MS = 86_400_000;

const start = (key: { readonly id: string }, order: object = {}) =>
  admin("POST", "/captures", { keyId: key.id, minutes: 5, ...order });
const started = async (key: { readonly id: string }, order: object = {}) => {
  const response = await start(key, order);
  expect(response.status).toBe(201);
  return response.json<CaptureView>();
};
const itemsOf = async (key: { readonly id: string }) =>
  (await (await admin("GET", `/captures/${key.id}`)).json<{ items: Captured[] }>()).items;
const kept = (key: { readonly id: string }, count = 1) =>
  eventually(
    () => itemsOf(key),
    ({ length }) => length >= count,
  );
const contentOf = async (key: { readonly id: string }, item: Captured | undefined) =>
  (await admin("GET", `/captures/${key.id}/${item?.requestId ?? ""}`)).json<CaptureContent>();

const objectOf = (key: { readonly id: string }) => env.CAPTURES.get(env.CAPTURES.idFromName(key.id));

async function storageText(key: { readonly id: string }): Promise<string> {
  return runInDurableObject(objectOf(key), (_, state) => {
    const tables = state.storage.sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\'",
      )
      .toArray();
    const rows = tables.map(({ name }) => state.storage.sql.exec(`SELECT * FROM "${name}"`).toArray());
    return JSON.stringify([rows, [...state.storage.kv.list()]]);
  });
}
const NOTHING = "[[],[]]";

/** All that is in D1 and KV. */
async function elsewhereText(): Promise<string> {
  const { results } = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name NOT LIKE '\\_cf%' ESCAPE '\\'",
  ).all<{ name: string }>();
  const tables = await Promise.all(
    results.map(({ name }) => env.DB.prepare(`SELECT * FROM "${name}"`).all()),
  );
  const { keys } = await env.KV.list();
  const values = await Promise.all(keys.map(({ name }) => env.KV.get(name)));
  return JSON.stringify([tables.map((table) => table.results), keys, values]);
}

const written: string[] = [];
beforeEach(() => {
  written.length = 0;
  for (const level of ["log", "info", "warn", "error", "debug"] as const) {
    vi.spyOn(console, level).mockImplementation((...parts: unknown[]) => {
      written.push(parts.map(String).join(" "));
    });
  }
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** A pair whose upstream answers with a canary. */
async function pairWithCanaries() {
  const { account, key } = await createPair();
  const [prompt, completion] = [unique("canary-prompt"), unique("canary-completion")];
  await upstream.set(account.secret, answer({ text: completion }));
  const body = { messages: [{ role: "user", content: prompt }] };
  return { account, key, prompt, completion, body };
}

const auditOf = async (target: string) => {
  const { results } = await env.DB.prepare("SELECT action FROM audit_entry WHERE target = ? ORDER BY seq")
    .bind(target)
    .all<{ action: string }>();
  return results.map(({ action }) => action).filter((action) => action.startsWith("capture."));
};

describe("a key that is not captured", () => {
  it("C10 leaves nothing of what it says anywhere, nor a word to its captures' object", async () => {
    const { key, prompt, completion, body } = await pairWithCanaries();
    await (await call(key, { body })).text();
    await (await stream(key, { body })).text();
    await usageOf(key, 2);
    expect(await storageText(key)).toBe(NOTHING);
    const all = (await elsewhereText()) + written.join("\n");
    expect(all).not.toContain(prompt);
    expect(all).not.toContain(completion);
    expect((await keyView(key)).captureUntil).toBeNull();
  });
});

describe("a key that is captured", () => {
  it("C10 is kept sealed, shown to admins, and gone when it is stopped", async () => {
    const { account, key, prompt, completion, body } = await pairWithCanaries();
    const capture = await started(key);
    expect(capture).toMatchObject({ keyId: key.id, running: true, kept: 0, count: 20, bytes: 100_000 });
    const [whole, streamed] = [await call(key, { body }), await stream(key, { body })];
    const texts = [await whole.text(), await streamed.text()];
    const items = await kept(key, 2);
    for (const item of items) expect(item).toMatchObject({ status: 200, whole: true });
    const contents = await Promise.all(items.map((item) => contentOf(key, item)));
    // As the client sent it, and as the client got it.
    expect(contents.map(({ responseText }) => responseText).toSorted()).toEqual(texts.toSorted());
    for (const { requestText } of contents) expect(requestText).toContain(prompt);

    const at = await storageText(key);
    const all = at + (await elsewhereText()) + written.join("\n");
    for (const secret of [prompt, completion]) expect(all).not.toContain(secret);
    // No headers, so no credentials: neither the key's nor the account's.
    const shown = JSON.stringify(contents);
    for (const secret of [key.key, account.secret]) expect(shown).not.toContain(secret);

    expect((await admin("DELETE", `/captures/${key.id}`)).status).toBe(204);
    expect(await storageText(key)).toBe(NOTHING);
    expect((await admin("GET", `/captures/${key.id}`)).status).toBe(404);
    await (await call(key, { body })).text();
    await usageOf(key, 3);
    expect(await storageText(key)).toBe(NOTHING);
    expect(await auditOf(key.id)).toEqual(["capture.start", "capture.read", "capture.read", "capture.stop"]);
  });

  it.each(["viewer", "user"] as const)("is nothing that a %s may see", async (role) => {
    const { key, body } = await pairWithCanaries();
    await started(key);
    await (await call(key, { body })).text();
    const [item] = await kept(key);
    const as = await signedIn(await createPerson(role));
    for (const path of ["", `/${key.id}`, `/${key.id}/${item?.requestId ?? ""}`]) {
      expect((await as("GET", `/captures${path}`)).status).toBe(403);
    }
    expect((await as("DELETE", `/captures/${key.id}`)).status).toBe(403);
    expect((await as("POST", "/captures", { keyId: key.id, minutes: 1 })).status).toBe(403);
    expect(await auditOf(key.id)).toEqual(["capture.start"]);
  });

  it("says so to its holder and in its view, and stops saying so", async () => {
    const { key } = await createPair();
    const { until } = await started(key);
    const info = async () =>
      (
        await (
          await fetchRelay("/api/v1/key-info", { headers: { "x-api-key": key.key } })
        ).json<{ keyInfo: { captureUntil: string | null } }>()
      ).keyInfo.captureUntil;
    expect((await keyView(key)).captureUntil).toBe(until);
    expect(await info()).toBe(new Date(until).toISOString());
    // Other changes of the key leave it as it is, and none can set it.
    await admin("PATCH", `/keys/${key.id}`, { name: unique("renamed"), captureUntil: null });
    expect((await keyView(key)).captureUntil).toBe(until);
    await admin("DELETE", `/captures/${key.id}`);
    expect((await keyView(key)).captureUntil).toBeNull();
    expect(await info()).toBeNull();
  });

  it("is cut at its size, and says so", async () => {
    const { key, body } = await pairWithCanaries();
    await started(key, { bytes: 50 });
    const text = await (await call(key, { body })).text();
    const [item] = await kept(key);
    expect(item).toMatchObject({ request: { cut: true }, response: { cut: true, bytes: text.length } });
    const content = await contentOf(key, item);
    expect(content.responseText).toBe(text.slice(0, 50));
    expect(content.requestText).toHaveLength(50);
  });

  it("ends with its count", async () => {
    const { key, body } = await pairWithCanaries();
    await started(key, { count: 2 });
    for (let time = 0; time < 4; time++) await (await call(key, { body })).text();
    await usageOf(key, 4);
    expect(await kept(key, 2)).toHaveLength(2);
    const { items } = await (await admin("GET", "/captures")).json<{ items: CaptureView[] }>();
    expect(items.find(({ keyId }) => keyId === key.id)).toMatchObject({ running: false, kept: 2 });
  });

  it("keeps errors as the client got them, the upstream's and the relay's own", async () => {
    const { account, key } = await createPair();
    await started(key);
    await upstream.set(account.secret, overloaded());
    const refused = await call(key);
    expect(refused.ok).toBe(false);
    const text = await refused.text();
    const [item] = await kept(key);
    expect(item?.status).toBe(refused.status);
    expect((await contentOf(key, item)).responseText).toBe(text);
  });

  it("keeps the beginning of an answer whose client left, and lets go of everything else", async () => {
    const { account, key } = await createPair();
    await started(key);
    await upstream.set(account.secret, { kind: "endless", intervalMs: 20 });
    const leaving = new AbortController();
    const response = await stream(key, { signal: leaving.signal });
    const reader = response.body?.getReader();
    await reader?.read();
    leaving.abort();
    await reader?.cancel().catch(() => undefined);
    const [item] = await kept(key);
    expect(item).toMatchObject({ whole: false });
    expect(item?.response.bytes).toBeGreaterThan(0);
    await idle(account, key);
    expect((await usageOf(key))[0]).toMatchObject({ outcome: "client_gone" });
  });

  it("takes nothing that was meant for a capture before it", async () => {
    const { key } = await createPair();
    const { until } = await started(key);
    const object = objectOf(key) as unknown as CaptureContract;
    const part = { beginning: new TextEncoder().encode("late"), bytes: 4 };
    const draft = { at: 1, status: 200, whole: true, request: part, response: part };
    const requestId = "req_00000001" as Captured["requestId"];
    expect(await object.keep({ ...draft, requestId }, until - 1)).toBe(false);
    expect(await object.keep({ ...draft, requestId }, until)).toBe(true);
    // Told twice, it is kept once.
    expect(await object.keep({ ...draft, requestId }, until)).toBe(true);
    expect(await itemsOf(key)).toHaveLength(1);
  });

  it("holds the largest texts it may, even those that are no text", async () => {
    const { key } = await createPair();
    const { until } = await started(key, { bytes: 1_000_000 });
    const object = objectOf(key) as unknown as CaptureContract;
    const part = { beginning: new Uint8Array(1_000_000).fill(0xff), bytes: 5_000_000 };
    const requestId = "req_00000002" as Captured["requestId"];
    await object.keep({ at: 1, status: 200, whole: true, request: part, response: part, requestId }, until);
    const [item] = await itemsOf(key);
    expect(item).toMatchObject({ request: { cut: true, bytes: 5_000_000 } });
    expect((await contentOf(key, item)).responseText.length).toBeGreaterThan(300_000);
  });
});

describe("the end of a capture", () => {
  /** Moves a capture into the past, as if time had passed. */
  const age = (key: TestKey, ms: number) =>
    runInDurableObject(objectOf(key), (_, state) => {
      const row = state.storage.kv.get<Record<string, number>>("capture");
      if (row === undefined) throw new Error("no capture");
      const { startedAt = 0, until = 0, eraseAt = 0 } = row;
      const older = { startedAt: startedAt - ms, until: until - ms, eraseAt: eraseAt - ms };
      state.storage.kv.put("capture", { ...row, ...older });
    });

  it("comes by itself, and what was kept is erased after seven days", async () => {
    const { key, body } = await pairWithCanaries();
    await started(key);
    await (await call(key, { body })).text();
    await kept(key);
    await age(key, DAY_MS);
    expect(await runDurableObjectAlarm(objectOf(key))).toBe(true);
    expect(await itemsOf(key)).toHaveLength(1);
    await age(key, 6 * DAY_MS);
    expect(await runDurableObjectAlarm(objectOf(key))).toBe(true);
    expect(await storageText(key)).toBe(NOTHING);
  });

  it("leaves nothing at once where nothing was kept", async () => {
    const { key } = await createPair();
    await started(key);
    await age(key, DAY_MS);
    expect(await runDurableObjectAlarm(objectOf(key))).toBe(true);
    expect(await storageText(key)).toBe(NOTHING);
  });

  it("comes with the key's", async () => {
    const { key, body } = await pairWithCanaries();
    await started(key);
    await (await call(key, { body })).text();
    await kept(key);
    await admin("DELETE", `/keys/${key.id}`);
    expect(await storageText(key)).toBe(NOTHING);
    expect((await admin("GET", `/captures/${key.id}`)).status).toBe(404);
  });
});

describe("POST /admin/captures", () => {
  it.each([
    ["too long", { minutes: 1441 }],
    ["too many", { count: 101 }],
    ["too large", { bytes: 1_000_001 }],
    ["no time at all", { minutes: 0 }],
    ["an unknown field", { headers: true }],
  ])("refuses %s", async (_, order) => {
    const { key } = await createPair();
    expect((await start(key, order)).status).toBe(400);
  });

  it("knows no key that there is not, and captures none twice", async () => {
    expect((await start({ id: "key_00000009" })).status).toBe(404);
    const { key } = await createPair();
    await started(key);
    const again = await start(key);
    expect(again.status).toBe(409);
    expect(await again.text()).toContain(`DELETE /admin/captures/${key.id}`);
  });
});
