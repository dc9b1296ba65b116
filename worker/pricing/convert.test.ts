import { findProvider } from "@pydantic/genai-prices";
import { describe, expect, it } from "vitest";
import { modelsFrom, unlisted, unreadPrices } from "./convert.ts";
import { parsePublicList } from "./public-list.ts";
import { SOURCES } from "./sources.ts";
import { PRICE_TABLE } from "./table.ts";

/** As it is published: the library's own data, in JSON. */
const published = (): { id: string; models: Record<string, unknown>[] }[] =>
  JSON.parse(
    JSON.stringify(SOURCES.map(({ provider }) => findProvider({ providerId: provider }))),
  ) as ReturnType<typeof published>;

/** The list with one more model of Anthropic's. */
function withModel(model: Record<string, unknown>) {
  const list = published();
  list[0]?.models.push({
    id: "claude-new",
    match: { equals: "claude-new" },
    prices: { input_mtok: 1 },
    ...model,
  });
  return list;
}

describe("modelsFrom", () => {
  it("makes the bundled table of the library's list", () => {
    const list = parsePublicList(published());
    expect(modelsFrom(list)).toEqual(PRICE_TABLE.models);
    expect(unlisted(list)).toEqual([]);
    expect(unreadPrices(list).every((line) => line.includes("audio"))).toBe(true);
  });

  it("reads a day from which a price holds without a word on its kind, as it is published", () => {
    const prices = [
      { prices: { input_mtok: 1, output_mtok: 2 } },
      { constraint: { start_date: "2027-01-01" }, prices: { input_mtok: 3, output_mtok: 4 } },
    ];
    const model = modelsFrom(parsePublicList(withModel({ prices }))).find(({ id }) => id === "claude-new");
    expect(model?.prices.map(({ from, rates }) => [from, rates.input])).toEqual([
      [null, 1_000_000],
      ["2027-01-01", 3_000_000],
    ]);
  });

  it.each([
    [
      "prices by the hour",
      [{ constraint: { start_time: "00:30:00Z", end_time: "16:30:00Z" }, prices: { input_mtok: 1 } }],
      /by the hour/,
    ],
    ["a price finer than a pico-dollar", { input_mtok: 0.00000012 }, /finer/],
    [
      "two thresholds",
      {
        input_mtok: {
          base: 1,
          tiers: [
            { start: 1, price: 2 },
            { start: 2, price: 3 },
          ],
        },
        output_mtok: { base: 1, tiers: [{ start: 3, price: 2 }] },
      },
      /threshold/,
    ],
  ])("says what the table cannot hold: %s", (_, prices, message) => {
    expect(() => modelsFrom(parsePublicList(withModel({ prices })))).toThrow(message);
  });
});

describe("parsePublicList", () => {
  it.each([
    ["a negative price", { prices: { input_mtok: -1 } }],
    ["a price past all reason", { prices: { input_mtok: 1e9 } }],
    ["a price that is text", { prices: { input_mtok: "1" } }],
    ["a rule that fits every name", { match: { starts_with: "" } }],
    ["an unknown rule", { match: { sounds_like: "claude" } }],
    ["an endless name", { name: "x".repeat(201) }],
  ])("refuses %s", (_, model) => {
    expect(() => parsePublicList(withModel(model))).toThrow();
  });

  it("looks at nothing else: other vendors and models may be as they like", () => {
    const list = published();
    list.push({ id: "other", models: [{ id: "speech", prices: "free" }] });
    list.find(({ id }) => id === "openai")?.models.push({ id: "tts-9", prices: "per minute" });
    expect(modelsFrom(parsePublicList(list))).toEqual(PRICE_TABLE.models);
  });

  it.each([[null], [{}], ["text"], [[]], [[{ id: "anthropic", models: [] }]]])("refuses %j", (value) => {
    expect(() => parsePublicList(value)).toThrow();
  });
});
