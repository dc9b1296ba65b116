/** The ledger request by request: filters, pages, and files. Security cases C5 and C7. */
import { describe, expect, it } from "vitest";
import { findUsage, type UsageFilter, type UsageListing } from "../../worker/storage/usage-list.ts";
import { keyIdSchema } from "../../worker/domain/ids.ts";
import { OUTCOMES } from "../../worker/domain/usage.ts";
import { PROTOCOL_IDS } from "../../worker/domain/protocol-id.ts";
import { book, recordAt, type Given } from "./setup/ledger.ts";
import { explaining } from "./setup/explain.ts";
import { admin, createKey, env, unique } from "./setup/relay.ts";

const KEY = "key_00000077";
const START = Date.parse("2026-02-01T00:00:00Z");

async function list(query: string): Promise<UsageListing> {
  const response = await admin("GET", `/usage?${query}`);
  expect(response.status).toBe(200);
  return response.json<UsageListing>();
}

/** Some records of a model that is theirs alone, a second apart. */
async function booked(given: readonly Given[]) {
  const model = unique("model");
  const records = given.map((each, index) => recordAt(START + index * 1000, { model, ...each }));
  await book(records);
  return { model, ids: records.map(({ requestId }) => requestId) };
}

describe("GET /admin/usage", () => {
  it.each([
    ["protocol", "gemini", { protocol: "gemini" }],
    ["outcome", "interrupted", { outcome: "interrupted" }],
    ["outcome", "completed", { protocol: "gemini" }],
    ["accountId", "acc_00000077", { accountId: "acc_00000077" }],
    ["keyId", "key_00000077", { keyId: "key_00000077" }],
  ] as const)("filters by %s: %s", async (name, value, given) => {
    const other: Given = name === "outcome" && value === "completed" ? { outcome: "lost" } : {};
    const { model, ids } = await booked([given, other]);
    const { items, total } = await list(`model=${model}&${name}=${value}`);
    expect([items.map(({ requestId }) => requestId), total]).toEqual([ids.slice(0, 1), 1]);
  });

  it("takes the start of a time and not its end", async () => {
    const { model, ids } = await booked([{}, {}, {}]);
    const { items } = await list(`model=${model}&from=${String(START + 1000)}&to=${String(START + 2000)}`);
    expect(items.map(({ requestId }) => requestId)).toEqual(ids.slice(1, 2));
  });

  it("walks through pages in both directions, by cursor and by number", async () => {
    const { model, ids } = await booked([{}, {}, {}, {}, {}]);
    for (const [sort, order] of [
      ["oldest", ids],
      ["newest", ids.toReversed()],
    ] as const) {
      const seen: string[] = [];
      let after = "";
      do {
        const page = await list(`model=${model}&sort=${sort}&limit=2${after}`);
        expect([page.total, page.isTotalCapped]).toEqual([5, false]);
        seen.push(...page.items.map(({ requestId }) => requestId));
        after = page.next === null ? "" : `&after=${page.next}`;
      } while (after !== "");
      expect(seen).toEqual(order);
      const second = await list(`model=${model}&sort=${sort}&limit=2&page=2`);
      expect(second.items.map(({ requestId }) => requestId)).toEqual(order.slice(2, 4));
    }
  });

  it.each(["sort=cost", "sort=request_id;--", "after=x'", "protocol=smtp", "outcome=fine", "limit=0"])(
    "refuses %s",
    async (query) => {
      expect((await admin("GET", `/usage?${query}`)).status).toBe(400);
    },
  );

  const none: UsageFilter = {
    keyId: undefined,
    accountId: undefined,
    model: undefined,
    protocol: undefined,
    outcome: undefined,
    from: undefined,
    to: undefined,
  };
  const filters: (readonly [name: string, filter: UsageFilter])[] = [
    ["no filter", none],
    ["a key", { ...none, keyId: KEY }],
    ["an account", { ...none, accountId: "a" }],
    ["a model", { ...none, model: "m" }],
    ...PROTOCOL_IDS.map((protocol) => [protocol, { ...none, protocol }] as const),
    ...OUTCOMES.map((outcome) => [outcome, { ...none, outcome }] as const),
    ["a key's model", { ...none, keyId: KEY, model: "m", protocol: "gemini", outcome: "failed" }],
    ["a time", { ...none, from: 1, to: 2 }],
  ];

  it.each(filters)("finds its first page by an index and sorts nothing: %s", async (_, filter) => {
    const page = { sort: "newest", after: undefined, limit: 50, offset: 0 } as const;
    const { db, plans } = explaining(env.DB);
    // A key and a model that never met are not looked for.
    await book([recordAt(START, { keyId: keyIdSchema.parse(KEY), model: "m" })]);
    await findUsage(db, filter, page);
    const plan = plans.find((lines) => lines.some((line) => / u( |$)/.test(line))) ?? [];
    expect(plan.filter((line) => / u( |$)/.test(line))).toEqual([
      "SEARCH u USING PRIMARY KEY (request_id=?)",
      expect.stringMatching(/^SEARCH u USING (PRIMARY KEY|(COVERING )?INDEX)/),
    ]);
    expect(plan.join()).not.toMatch(/TEMP B-TREE FOR ORDER|SCAN/);
    if (filter.keyId !== undefined) expect(plan.join()).toContain("COVERING INDEX usage_record_by_key");
  });
});

describe("a key and a model that never met", () => {
  it("are answered by the sums, without a look at the key's records", async () => {
    const { model } = await booked([{}]);
    const keyId = (await createKey()).id;
    await book([recordAt(START, { keyId, model: unique("model") })]);
    const response = await admin("GET", `/usage?keyId=${keyId}&model=${model}`);
    expect(await response.json()).toEqual({ items: [], total: 0, isTotalCapped: false, next: null });
  });
});

describe("GET /admin/usage/export", () => {
  const HOSTILE = ["=1+1", "+cmd", "-2", "@SUM(A1)", "\t=1", "\r=1", '=HYPERLINK("x","y")', "a,b\nc"];

  it("has every record of a filter, oldest first, over several pages", async () => {
    const { model, ids } = await booked(Array.from({ length: 2300 }, () => ({})));
    const response = await admin("GET", `/usage/export?format=ndjson&model=${model}`);
    expect(response.headers.get("content-type")).toBe("application/x-ndjson; charset=utf-8");
    expect(response.headers.get("content-disposition")).toMatch(
      /^attachment; filename="usage-[\d-]{10}\.ndjson"$/,
    );
    const lines = (await response.text()).trimEnd().split("\n");
    expect(lines.map((line) => (JSON.parse(line) as { requestId: string }).requestId)).toEqual(ids);
  });

  it("has no cell that a spreadsheet would compute, in any column that has text", async () => {
    const keyId = (await createKey({ name: "=cmd|' /C calc'!A0" })).id;
    const fields = ["model", "requestedModel", "provider", "serviceTier", "speed", "error", "priceVersion"];
    const model = unique("=model");
    const given = fields.flatMap((field) => HOSTILE.map((text) => ({ keyId, model, [field]: text })));
    await book(given.map((each, index) => recordAt(START + index, each)));
    const response = await admin("GET", `/usage/export?keyId=${keyId}`);
    expect(response.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    const rows = cellsOf(await response.text());
    expect(rows).toHaveLength(given.length + 1);
    expect(rows[1]?.slice(0, 1)).toEqual([expect.stringMatching(/^req_/)]);
    for (const cell of rows.flat()) expect(cell).not.toMatch(/^[=+\-@\t\r]/);
    expect(rows.flat()).toContain("'=cmd|' /C calc'!A0");
    expect(new Set(rows.map((row) => row.length)).size).toBe(1);
  });

  it("is made of a filter that parses", async () => {
    expect((await admin("GET", "/usage/export?format=xlsx")).status).toBe(400);
  });

  /** RFC 4180. */
  function cellsOf(csv: string): string[][] {
    const cells = [...csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)];
    const rows: string[][] = [[]];
    for (const [, quoted, plain = "", end] of cells) {
      rows.at(-1)?.push(quoted?.replaceAll('""', '"') ?? plain);
      if (end === "\r\n") rows.push([]);
    }
    return rows.slice(0, -1);
  }
});
