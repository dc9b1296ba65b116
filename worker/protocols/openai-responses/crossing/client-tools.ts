/**
 * The tools of a client as plain functions, and the way back. Tools in a namespace become functions with one long
 * name; free-form ("custom") tools become functions with the one string `input`; a search for tools that the
 * client runs itself becomes a function as it is. Pure.
 */
import { z } from "zod";
import { elementsAt, parseAt, topLevelFields } from "../../json-fields.ts";
import type { JsonObject, Tool } from "../../neutral.ts";
import { toolNames } from "../../tool-names.ts";
import { readAs } from "./read-body.ts";

const jsonObject = z.record(z.string(), z.unknown());

const functionTool = z.object({
  type: z.literal("function"),
  name: z.string().min(1),
  description: z.string().nullish(),
  parameters: jsonObject.nullish(),
  strict: z.boolean().nullish(),
});

const customTool = z.object({
  type: z.literal("custom"),
  name: z.string().min(1),
  description: z.string().nullish(),
  format: z
    .object({ type: z.string(), syntax: z.string().nullish(), definition: z.string().nullish() })
    .nullish(),
});

const searchTool = z.object({
  type: z.literal("tool_search"),
  execution: z.literal("client"),
  description: z.string().nullish(),
  parameters: jsonObject.nullish(),
});

const hostedTool = z.looseObject({ type: z.string().max(100) });

const namespaceTool = z.object({
  type: z.literal("namespace"),
  name: z.string().min(1),
  description: z.string().nullish(),
  tools: z.array(z.union([functionTool, customTool, hostedTool])),
});

/** A known type must have its known form; any other is a tool that the upstream would have run. */
const KNOWN_TYPES = { function: functionTool, custom: customTool, namespace: namespaceTool } as const;

type Declared = z.output<typeof functionTool | typeof customTool | typeof searchTool>;

/** A tool as its client knows it. */
export interface ClientTool {
  readonly kind: "function" | "custom" | "tool_search";
  readonly namespace: string | null;
  readonly name: string;
}

/** The one argument of a free-form tool. */
export const INPUT = "input";
export const TOOL_SEARCH = "tool_search";

export interface ToolBook {
  readonly tools: readonly Tool[];
  /** Hosted tools: nobody but OpenAI could run them. */
  readonly omitted: readonly string[];
  flatName(namespace: string | null, name: string): string;
  /** What the client called a function; a name that it never declared stays as it is. */
  find(flatName: string): ClientTool;
}

export function toolBook(declarations: readonly unknown[], place = "tools"): ToolBook {
  const tools: Tool[] = [];
  const omitted: string[] = [];
  const byFlatName = new Map<string, ClientTool>();
  const flatNames = new Map<string, string>();

  const add = (tool: Declared, space: Namespace | null) => {
    const client: ClientTool = {
      kind: tool.type,
      namespace: space?.name ?? null,
      name: tool.type === TOOL_SEARCH ? TOOL_SEARCH : tool.name,
    };
    const key = keyOf(client.namespace, client.name);
    if (flatNames.has(key)) return;
    const flat = freeName(joinedName(client.namespace, client.name), byFlatName);
    flatNames.set(key, flat);
    byFlatName.set(flat, client);
    tools.push(neutralTool(tool, flat, space?.description ?? null));
  };

  for (const [index, declaration] of declarations.entries()) {
    const { found, space, hosted } = readTool(declaration, `${place}[${String(index)}]`);
    // What a namespace is for is told once, with its first tool.
    for (const [at, tool] of found.entries())
      add(tool, at === 0 ? space : space && { ...space, description: null });
    omitted.push(...hosted.map((type) => `tools: ${type}`));
  }

  return {
    tools,
    omitted: [...new Set(omitted)],
    flatName: (namespace, name) => flatNames.get(keyOf(namespace, name)) ?? joinedName(namespace, name),
    find: (flat) => byFlatName.get(flat) ?? { kind: "function", namespace: null, name: flat },
  };
}

interface Namespace {
  readonly name: string;
  readonly description: string | null;
}

interface Found {
  readonly found: readonly Declared[];
  readonly space: Namespace | null;
  readonly hosted: readonly string[];
}

function readTool(declaration: unknown, place: string): Found {
  const { type } = readAs(hostedTool, declaration, place);
  if (type === "namespace") return readNamespace(readAs(KNOWN_TYPES.namespace, declaration, place));
  if (type === "function" || type === "custom") {
    return { found: [readAs(KNOWN_TYPES[type], declaration, place)], space: null, hosted: [] };
  }
  const search = searchTool.safeParse(declaration);
  return search.success
    ? { found: [search.data], space: null, hosted: [] }
    : { found: [], space: null, hosted: [type] };
}

function readNamespace({ name, description, tools }: z.output<typeof namespaceTool>): Found {
  const isDeclared = (tool: (typeof tools)[number]): tool is Declared =>
    tool.type === "function" || tool.type === "custom";
  return {
    found: tools.filter(isDeclared),
    space: { name, description: description ?? null },
    hosted: tools.filter((tool) => !isDeclared(tool)).map(({ type }) => type),
  };
}

const keyOf = (namespace: string | null, name: string): string => JSON.stringify([namespace, name]);

/** MCP servers are namespaces that already end in two underscores. */
function joinedName(namespace: string | null, name: string): string {
  if (namespace === null) return name;
  const joined = `${namespace}${namespace.endsWith("__") ? "" : "__"}${name}`;
  return toolNames([joined]).toUpstream(joined);
}

function freeName(name: string, taken: ReadonlyMap<string, unknown>): string {
  let free = name;
  for (let count = 2; taken.has(free); count++) free = `${name.slice(0, 60)}_${String(count)}`;
  return free;
}

function neutralTool(tool: Declared, name: string, about: string | null): Tool {
  const description = [
    about,
    tool.description ?? null,
    tool.type === "custom" ? inputRule(tool.format) : null,
  ]
    .filter((text) => text !== null && text !== "")
    .join("\n\n");
  return {
    name,
    description: description === "" ? null : description,
    parameters: tool.type === "custom" ? INPUT_SCHEMA : (tool.parameters ?? NO_PARAMETERS),
    strict: tool.type === "function" ? (tool.strict ?? null) : null,
    cache: null,
  };
}

const NO_PARAMETERS: JsonObject = { type: "object", properties: {} };
const INPUT_SCHEMA: JsonObject = {
  type: "object",
  properties: { [INPUT]: { type: "string", description: "The whole input of the tool, as plain text." } },
  required: [INPUT],
  additionalProperties: false,
};

function inputRule(format: z.output<typeof customTool>["format"]): string {
  const rule = `This tool takes free text: give all of it as the string "${INPUT}".`;
  const grammar = format?.definition ?? "";
  if (grammar === "") return rule;
  return `${rule} The text must match this grammar (${format?.syntax ?? "lark"}):\n${grammar}`;
}

/** Items of the input that bring more tools. */
const TOOL_ITEMS = ["additional_tools", "tool_search_output"] as const;
const toolItem = z.object({ type: z.enum(TOOL_ITEMS), tools: z.array(z.unknown()) });

export const toolsInInput = (input: unknown): readonly unknown[] =>
  Array.isArray(input)
    ? input.flatMap((item: unknown) => {
        const read = toolItem.safeParse(item);
        return read.success ? read.data.tools : [];
      })
    : [];

/** The book of a call that was read before, without parsing the conversation in it. */
export function toolBookOf(body: Uint8Array): ToolBook {
  const fields = topLevelFields(body);
  const [tools, input] = [fields.get("tools"), fields.get("input")];
  const declared: unknown = tools === undefined ? [] : parseAt(body, tools);
  const items = input === undefined || body[input.start] !== 0x5b ? [] : elementsAt(body, input);
  const decoder = new TextDecoder();
  const bringing = items
    .filter(({ start, end }) => {
      const text = decoder.decode(body.subarray(start, end));
      return TOOL_ITEMS.some((type) => text.includes(`"${type}"`));
    })
    .map((range) => parseAt(body, range));
  return toolBook([...(Array.isArray(declared) ? (declared as unknown[]) : []), ...toolsInInput(bringing)]);
}
