/** Many keys at once, and the tags that gather them. */
import { describe, expect, it } from "vitest";
import type { KeyView } from "../../worker/domain/key.ts";
import { admin, call, createAccount, createKey, env, keyView, unique } from "./setup/relay.ts";

interface Bulk<Done> {
  readonly succeeded: readonly Done[];
  readonly failed: readonly { readonly id: string; readonly error: string }[];
}
interface Created {
  readonly id: string;
  readonly name: string;
  readonly key: string;
}

async function bulk<Done = string>(method: string, path: string, body: unknown): Promise<Bulk<Done>> {
  const response = await admin(method, `/keys/bulk${path}`, body);
  expect([200, 201]).toContain(response.status);
  return response.json();
}

const entriesOf = async (target: string) =>
  (await (await admin("GET", `/audit?target=${target}`)).json<{ items: { action: string }[] }>()).items;

describe("keys in bulk", () => {
  it("are made with numbers for names, and work", async () => {
    const group = unique("group");
    await createAccount({ groups: [group] });
    const name = unique("team");
    const binding = { kind: "group", group };
    const { succeeded, failed } = await bulk<Created>("POST", "", { name, count: 3, binding, dailyCost: 5 });
    expect(failed).toEqual([]);
    expect(succeeded.map((key) => key.name)).toEqual([1, 2, 3].map((number) => `${name}_${String(number)}`));
    expect(new Set(succeeded.map(({ key }) => key)).size).toBe(3);
    for (const key of succeeded) expect((await call(key)).status).toBe(200);
    expect(await keyView(succeeded[2] ?? { id: "" })).toMatchObject({ dailyCost: 5, binding });
    expect((await entriesOf(succeeded[1]?.id ?? "")).map(({ action }) => action)).toEqual(["key.create"]);
  });

  it(
    "are 500 at most in one call, and make as many entries in the log, whose chain holds",
    { timeout: 120_000 },
    async () => {
      const name = unique("many");
      expect((await admin("POST", "/keys/bulk", { name, count: 501 })).status).toBe(400);
      const made = await bulk<Created>("POST", "", { name, count: 500 });
      const all = made.succeeded.map(({ id }) => id);
      expect(new Set(all).size).toBe(500);
      const ids = all.slice(0, 60);
      const changed = await bulk("PATCH", "", { ids, changes: { concurrency: 2 }, tags: { add: ["many"] } });
      expect([changed.succeeded.length, changed.failed]).toEqual([60, []]);
      expect(await keyView({ id: ids[59] ?? "" })).toMatchObject({ concurrency: 2, tags: ["many"] });
      expect((await bulk("POST", "/delete", { ids })).succeeded).toHaveLength(60);
      const left = "SELECT count(*) FROM relay_key WHERE untold = 1 AND name LIKE 'many%'";
      expect(await env.DB.prepare(left).first("count(*)")).toBe(0);
      const verified = await (await admin("GET", "/audit/verify")).json<{ ok: boolean }>();
      expect(verified.ok).toBe(true);
    },
  );

  it("say of each key that cannot be changed why, and change the others", async () => {
    const [good, windowless, binned] = [
      await createKey({ windowMinutes: 5 }),
      await createKey(),
      await createKey(),
    ];
    await admin("DELETE", `/keys/${binned.id}`);
    const ids = [good.id, windowless.id, binned.id, "key_00000009", good.id];
    const { succeeded, failed } = await bulk("PATCH", "", { ids, changes: { windowRequests: 9 } });
    expect(succeeded).toEqual([good.id]);
    expect(failed).toEqual([
      { id: windowless.id, error: expect.stringContaining("windowMinutes") as string },
      { id: binned.id, error: expect.stringContaining("bin") as string },
      { id: "key_00000009", error: "There is no such key." },
    ]);
    expect((await keyView(good)).windowRequests).toBe(9);
  });

  it("refuse what is wrong for all of them", async () => {
    const { id } = await createKey();
    for (const order of [
      { ids: [] },
      { ids: [id], changes: { name: "same" } },
      { ids: [id], changes: { ownerId: "per_99999999" } },
      { ids: [id], changes: { id: "key_00000001" } },
      { ids: [id], changes: { hash: "x" } },
      { ids: Array.from({ length: 501 }, () => id) },
    ]) {
      expect((await admin("PATCH", "/keys/bulk", order)).status).toBe(400);
    }
  });

  it("C6 take nothing from a prototype", async () => {
    const key = await createKey();
    const changes = JSON.parse('{"__proto__":{"enabled":false},"constructor":{"prototype":{}}}') as object;
    await admin("PATCH", "/keys/bulk", { ids: [key.id], changes });
    expect((await keyView(key)).enabled).toBe(true);
    expect(({} as { enabled?: boolean }).enabled).toBeUndefined();
  });

  it("add, remove and replace tags", async () => {
    const key = await createKey({ tags: ["a", "b"] });
    const change = async (tags: object) => {
      await bulk("PATCH", "", { ids: [key.id], tags });
      return (await keyView(key)).tags;
    };
    expect(await change({ add: ["c", "a"] })).toEqual(["a", "b", "c"]);
    expect(await change({ remove: ["b"] })).toEqual(["a", "c"]);
    expect(await change({ replace: ["x"], add: ["y"] })).toEqual(["x", "y"]);
    const many = Array.from({ length: 19 }, (_, index) => `t${String(index)}`);
    expect((await bulk("PATCH", "", { ids: [key.id], tags: { add: many } })).failed).toHaveLength(1);
  });
});

describe("tags", () => {
  const tags = async () =>
    (await (await admin("GET", "/key-tags")).json<{ items: { name: string; keys: number }[] }>()).items;
  const countOf = async (name: string) => (await tags()).find((tag) => tag.name === name)?.keys;

  it("are counted, renamed everywhere and taken off, in the log", async () => {
    const [old, other] = [unique("old"), unique("other")];
    const first = await createKey({ tags: ["head", old, other] });
    const both = await createKey({ tags: [old, "tail", other] });
    const binned = await createKey({ tags: [old] });
    await admin("DELETE", `/keys/${binned.id}`);
    expect(await countOf(old)).toBe(2);
    const renamed = await admin("PATCH", `/key-tags/${old}`, { name: other });
    expect(await renamed.json()).toEqual({ name: other, keys: 3 });
    expect((await keyView(first)).tags).toEqual(["head", other]);
    expect((await keyView(both)).tags).toEqual([other, "tail"]);
    expect((await keyView(binned)).tags).toEqual([other]);
    expect((await admin("DELETE", `/key-tags/${other}`)).status).toBe(204);
    expect((await keyView(first)).tags).toEqual(["head"]);
    expect((await keyView(binned)).tags).toEqual([]);
    expect((await entriesOf(old)).map(({ action }) => action)).toEqual(["tag.rename"]);
    expect((await entriesOf(other)).map(({ action }) => action)).toEqual(["tag.delete"]);
  });

  it("C7 are values and never statements, whatever they are called", async () => {
    const hostile = `'); DROP TABLE relay_key; -- "$[0]`;
    const key = await createKey({ tags: [hostile] });
    const found = await admin("GET", `/keys?tag=${encodeURIComponent(hostile)}`);
    expect((await found.json<{ items: KeyView[] }>()).items.map(({ id }) => id)).toEqual([key.id]);
    const path = `/key-tags/${encodeURIComponent(hostile)}`;
    expect((await admin("PATCH", path, { name: `<b>"'` })).status).toBe(200);
    expect((await keyView(key)).tags).toEqual([`<b>"'`]);
    expect((await admin("PATCH", path, { name: "gone" })).status).toBe(404);
  });

  it("that were renamed do not come back with a change that began before", async () => {
    const tag = unique("tag");
    const key = await createKey({ tags: [tag] });
    await Promise.all([
      admin("PATCH", `/key-tags/${tag}`, { name: `${tag}-2` }),
      admin("PATCH", `/keys/${key.id}`, { concurrency: 3 }),
    ]);
    expect(await keyView(key)).toMatchObject({ tags: [`${tag}-2`], concurrency: 3 });
  });
});
