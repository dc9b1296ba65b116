/** The list of keys: filtered, searched and sorted in D1. */
import { beforeAll, describe, expect, it } from "vitest";
import type { KeyView } from "../../worker/domain/key.ts";
import { book, recordAt } from "./setup/ledger.ts";
import { createPerson } from "./setup/people.ts";
import { admin, createKey, type TestKey } from "./setup/relay.ts";

type Listed = KeyView & { readonly cost: number | null };

async function list(query: string): Promise<{ readonly items: Listed[]; readonly total: number }> {
  const response = await admin("GET", `/keys?limit=200&${query}`);
  expect(response.status).toBe(200);
  return response.json();
}
const namesOf = async (query: string) => (await list(query)).items.map(({ name }) => name);

let ada: TestKey;
let bob: TestKey;
let cid: TestKey;
let ownerId: string;

beforeAll(async () => {
  ownerId = (await createPerson("user")).id;
  ada = await createKey({
    name: "ada",
    tags: ["red", "blue"],
    ownerId,
    binding: { kind: "group", group: "g" },
  });
  bob = await createKey({
    name: "Bob",
    tags: ["red"],
    enabled: false,
    description: "of the 100% _team_",
    binding: { kind: "group", group: "h" },
  });
  cid = await createKey({ name: "cid", expiresAt: 1 });
  const at = Date.parse("2026-03-01T10:10:00Z");
  await book([
    recordAt(at, { keyId: bob.id, cost: 30 }),
    recordAt(at, { keyId: bob.id, cost: 5, model: "other" }),
    recordAt(at, { keyId: cid.id, cost: 20 }),
    recordAt(at + 40 * 86_400_000, { keyId: ada.id, cost: 1000 }),
  ]);
});

describe("GET /admin/keys", () => {
  it.each([
    ["the newest first", "", ["cid", "Bob", "ada"]],
    ["the oldest first", "sort=oldest", ["ada", "Bob", "cid"]],
    ["by name, whatever its case", "sort=name", ["ada", "Bob", "cid"]],
    ["by name, backwards", "sort=name&order=desc", ["cid", "Bob", "ada"]],
    ["of a tag", "tag=red", ["Bob", "ada"]],
    ["of a tag nobody has", "tag=green", []],
    ["of a group", "group=g", ["ada"]],
    ["that may be used", "status=active", ["ada"]],
    ["that are switched off", "status=disabled", ["Bob"]],
    ["that have ended", "status=expired", ["cid"]],
    // No id and no key text has an "o" in it.
    ["by part of a name", "search=OB", ["Bob"]],
    ["by part of what is noted", `search=${encodeURIComponent("100% _t")}`, ["Bob"]],
    ["by text that is no pattern", `search=${encodeURIComponent("%")}`, ["Bob"]],
    ["by several of these", "tag=red&status=active&search=a", ["ada"]],
  ])("lists keys %s", async (_, query, names) => {
    expect(await namesOf(query)).toEqual(names);
    expect((await list(query)).total).toBe(names.length);
  });

  it("finds a key by its owner, its id and its last characters", async () => {
    expect(await namesOf(`ownerId=${ownerId}`)).toEqual(["ada"]);
    expect(await namesOf(`search=${bob.id}`)).toEqual(["Bob"]);
    expect(await namesOf(`search=${cid.hint}`)).toEqual(["cid"]);
  });

  it("ranks by what was spent in a range, keys that spent nothing last", async () => {
    const march = "sort=cost&from=2026-03-01&to=2026-03-31";
    const costs = (await list(march)).items.map(({ name, cost }) => [name, cost]);
    expect(costs).toEqual([
      ["Bob", 35],
      ["cid", 20],
      ["ada", 0],
    ]);
    expect(await namesOf(`${march}&order=asc`)).toEqual(["ada", "cid", "Bob"]);
    expect((await list("sort=cost&from=2026-03-01&to=2026-05-01")).items[0]).toMatchObject({ name: "ada" });
    expect((await list("sort=newest")).items[0]?.cost).toBeNull();
    const second = await admin("GET", `/keys?${march}&limit=1&page=2`);
    expect(await second.json()).toMatchObject({ items: [{ name: "cid" }], total: 3 });
  });

  it("C7 sorts by names of a list only, and takes text for text", async () => {
    for (const query of [
      "sort=hash",
      "sort=name;drop",
      "order=up",
      "sort=newest&order=asc",
      "status=any",
      "from=x",
    ]) {
      expect((await admin("GET", `/keys?${query}`)).status).toBe(400);
    }
    for (const field of ["tag", "group", "search"]) {
      expect(await namesOf(`${field}=${encodeURIComponent("' OR 1=1 --")}`)).toEqual([]);
    }
  });
});
