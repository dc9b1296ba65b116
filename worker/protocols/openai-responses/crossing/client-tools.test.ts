import { describe, expect, it } from "vitest";
import { clientCall } from "../../__fixtures__/crossing.ts";
import { toolBook, toolBookOf } from "./client-tools.ts";

const named = (name: string) => ({ type: "function", name });
const space = (name: string, ...tools: readonly unknown[]) => ({ type: "namespace", name, tools });

describe("toolBook", () => {
  it("keeps a function as it is", () => {
    const parameters = { type: "object", properties: { city: { type: "string" } } };
    const tool = { ...named("get_weather"), description: "Weather.", parameters, strict: true };
    expect(toolBook([tool]).tools).toEqual([
      { name: "get_weather", description: "Weather.", parameters, strict: true, cache: null },
    ]);
  });

  it("gives a function without parameters an empty object, which every dialect takes", () => {
    expect(toolBook([{ ...named("ping"), parameters: null }]).tools).toMatchObject([
      { description: null, parameters: { type: "object", properties: {} }, strict: null },
    ]);
  });

  it("makes a free-form tool a function with one text, and tells the model its grammar", () => {
    const format = { type: "grammar", syntax: "lark", definition: "start: LINE+" };
    const [tool] = toolBook([{ type: "custom", name: "apply_patch", description: "Edits.", format }]).tools;
    expect(tool?.description).toBe(
      'Edits.\n\nThis tool takes free text: give all of it as the string "input". The text must match this grammar (lark):\nstart: LINE+',
    );
    expect(tool?.parameters).toMatchObject({ required: ["input"], additionalProperties: false });
  });

  it("says nothing of a grammar where there is none", () => {
    const [tool] = toolBook([{ type: "custom", name: "say", format: { type: "text" } }]).tools;
    expect(tool?.description).toBe('This tool takes free text: give all of it as the string "input".');
  });

  it("gives tools in a namespace one name, and finds them again", () => {
    const book = toolBook([
      { ...space("agents", named("spawn"), { type: "custom", name: "say" }), description: "Agents." },
    ]);
    expect(book.tools.map(({ name }) => name)).toEqual(["agents__spawn", "agents__say"]);
    expect(book.tools[0]?.description).toBe("Agents.");
    expect(book.tools[1]?.description).not.toContain("Agents.");
    expect(book.find("agents__spawn")).toEqual({ kind: "function", namespace: "agents", name: "spawn" });
    expect(book.find("agents__say")).toEqual({ kind: "custom", namespace: "agents", name: "say" });
    expect(book.flatName("agents", "spawn")).toBe("agents__spawn");
  });

  it("does not double the underscores of MCP servers", () => {
    expect(toolBook([space("mcp__mail__", named("send"))]).tools[0]?.name).toBe("mcp__mail__send");
  });

  it("shortens names that are too long, and finds them again", () => {
    const [long, tool] = ["server_".repeat(9), "tool_".repeat(9)];
    const book = toolBook([space(long, named(tool))]);
    const flat = book.flatName(long, tool);
    expect(flat.length).toBeLessThanOrEqual(64);
    expect(book.tools[0]?.name).toBe(flat);
    expect(book.find(flat)).toEqual({ kind: "function", namespace: long, name: tool });
    expect(toolBook([]).flatName(long, tool)).toBe(flat);
  });

  it("keeps tools apart whose joined names are the same", () => {
    const book = toolBook([space("a", named("b__c")), space("a__b", named("c")), named("a__b__c")]);
    const names = book.tools.map(({ name }) => name);
    expect(new Set(names).size).toBe(3);
    expect(names.map((name) => book.find(name))).toEqual([
      { kind: "function", namespace: "a", name: "b__c" },
      { kind: "function", namespace: "a__b", name: "c" },
      { kind: "function", namespace: null, name: "a__b__c" },
    ]);
  });

  it("takes a tool once, however often it is declared", () => {
    expect(toolBook([named("f"), named("f")]).tools).toHaveLength(1);
  });

  it("takes a search that the client runs, and leaves out one that OpenAI runs", () => {
    const search = { type: "tool_search", description: "Finds.", parameters: { type: "object" } };
    expect(toolBook([{ ...search, execution: "client" }]).find("tool_search").kind).toBe("tool_search");
    expect(toolBook([search]).omitted).toEqual(["tools: tool_search"]);
  });

  it("names each kind of tool that it leaves out once", () => {
    const hosted = { type: "web_search" };
    expect(toolBook([hosted, hosted, space("a", hosted, { type: "mcp" })]).omitted).toEqual([
      "tools: web_search",
      "tools: mcp",
    ]);
  });

  it("takes a name that was never declared for a function's", () => {
    expect(toolBook([]).find("f")).toEqual({ kind: "function", namespace: null, name: "f" });
  });
});

describe("toolBookOf", () => {
  it("finds the tools of a call, and those that its conversation brings", () => {
    const book = toolBookOf(
      clientCall("/v1/responses", {
        model: "m",
        tools: [space("a", named("b"))],
        input: [
          { role: "user", content: 'About "additional_tools" and "tool_search_output".' },
          { type: "additional_tools", tools: [{ type: "custom", name: "c" }] },
          { type: "tool_search_output", tools: [space("d", named("e"))] },
        ],
      }).body,
    );
    expect(["a__b", "c", "d__e"].map((name) => book.find(name).name)).toEqual(["b", "c", "e"]);
  });

  it("finds none in a call without any", () => {
    expect(toolBookOf(clientCall("/v1/responses", { model: "m", input: "Hi" }).body).tools).toEqual([]);
  });
});
