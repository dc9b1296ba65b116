import { calcPrice } from "@pydantic/genai-prices";
import { describe, expect, it } from "vitest";
import { findModel } from "./find-model.ts";
import { PRICE_TABLE } from "./table.ts";

const idOf = (name: string): string | null => findModel(PRICE_TABLE, name)?.id ?? null;

describe("findModel", () => {
  it("finds every model by its own id", () => {
    for (const model of PRICE_TABLE.models) expect(idOf(model.id)).toBe(model.id);
  });

  it("chooses as the library does, for every name its rules mention", () => {
    const names = PRICE_TABLE.models.flatMap(({ match, provider }) =>
      [...JSON.stringify(match).matchAll(/"(?:equals|starts_with|contains)":"([^"]+)"/g)].map(
        ([, name = ""]) => ({ name, provider }),
      ),
    );
    expect(names.length).toBeGreaterThan(50);
    for (const { name, provider } of names) {
      for (const spelling of [name, name.toUpperCase(), ` ${name} `, `${name}-20260801`]) {
        const chosen = calcPrice({ input_tokens: 1 }, spelling, { providerId: provider })?.model.id;
        if (chosen !== undefined) expect(idOf(spelling)).toBe(chosen);
      }
    }
  });

  it.each([
    ["claude-opus-4-20250514", "claude-opus-4-0"],
    ["claude-fable-5-20260601", "claude-fable-5"],
    ["claude-fable-5-1-20260901", "claude-fable-5-1"],
    ["claude-opus-5[1m]", "claude-opus-5"],
    ["claude-opus-5-20260724[1m]", "claude-opus-5"],
    ["claude-opus-5@20260724", "claude-opus-5"],
    ["claude-haiku-4-5@20251001", "claude-haiku-4-5"],
    ["anthropic/claude-opus-4.8", "claude-opus-4-8"],
    ["anthropic.claude-opus-5", "claude-opus-5"],
    ["anthropic.claude-opus-4-20250514-v1:0", "claude-opus-4-0"],
    ["us.anthropic.claude-sonnet-4-5-20250929-v1:0", "claude-sonnet-4-5"],
    ["eu.anthropic.claude-opus-5-20260724-v1:0", "claude-opus-5"],
    ["apac.anthropic.claude-sonnet-4-20250514-v1:0", "claude-sonnet-4-0"],
    ["global.anthropic.claude-opus-5-5", "claude-opus-5-5"],
    ["models/gemini-2.5-pro", "gemini-2.5-pro"],
    ["google/gemini-2.5-flash-lite", "gemini-2.5-flash-lite"],
    ["gemini-2.5-flash-lite-preview-09-2025", "gemini-2.5-flash-lite"],
    ["gemini-2.5-flash-preview-09-2025", "gemini-2.5-flash"],
    ["gemini-2.0-flash-001", "gemini-2.0-flash"],
    ["gemini-3.1-flash-lite-preview", "gemini-3.1-flash-lite"],
    ["gpt-6-sol-2026-10-01", "gpt-6-sol"],
    ["gpt-5.6", "gpt-5.6-sol"],
    ["gpt-4.1-mini-2025-04-14", "gpt-4.1-mini"],
    ["openai/gpt-5.5", "gpt-5.5"],
    ["azure/gpt-4o", "gpt-4o"],
    ["o3-2025-04-16", "o3"],
  ])("knows %s as %s", (name, id) => {
    expect(idOf(name)).toBe(id);
  });

  it.each([
    "",
    "claude",
    "claude-opus",
    "opus-5",
    "my-claude-opus-5",
    "claude-opus-6",
    "claude-opus-5-turbo",
    "gpt-5-turbo",
    "gpt-7",
    "my-gpt-5",
    "o9",
    "us.",
  ])("does not guess what %s might be", (name) => {
    expect(idOf(name)).toBeNull();
  });

  it("refuses names no vendor would give", () => {
    expect(idOf(`claude-sonnet-5${"x".repeat(185)}`)).toBe("claude-sonnet-5");
    expect(idOf(`claude-sonnet-5${"x".repeat(186)}`)).toBeNull();
  });

  it("still finds a model after any number of invented names", () => {
    expect(idOf("claude-opus-5")).toBe("claude-opus-5");
    for (let index = 0; index < 2000; index++) expect(idOf(`invented-${String(index)}`)).toBeNull();
    expect(idOf("claude-opus-5")).toBe("claude-opus-5");
  });

  it("remembers names for each table apart", () => {
    expect(idOf("claude-opus-5")).toBe("claude-opus-5");
    expect(findModel({ version: "empty", models: [] }, "claude-opus-5")).toBeNull();
  });

  it("understands every kind of rule", () => {
    const [first] = PRICE_TABLE.models;
    if (first === undefined) throw new Error("the table is empty");
    const match = {
      and: [{ starts_with: "A" }, { ends_with: "Z" }, { or: [{ contains: "mm" }, { regex: "^a\\d+z$" }] }],
    };
    const table = { version: "test", models: [{ ...first, match }] };
    const fits = ["ammz", "AMMZ", "a12z", "az", "ammy", "bmmz"].filter(
      (name) => findModel(table, name) !== null,
    );
    expect(fits).toEqual(["ammz", "AMMZ", "a12z"]);
  });
});
