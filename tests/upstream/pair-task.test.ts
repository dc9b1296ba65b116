/** Two calls side by side, in every dialect of the fake. */
import { afterAll, describe, expect, it } from "vitest";
import { PAIR_TASK } from "./conversation.ts";
import { isRecord, recordsOf, type JsonRecord } from "./record.ts";
import { startUpstream } from "./server.ts";

const upstream = await startUpstream();
afterAll(() => upstream.close());

const PROMPT = `${PAIR_TASK}: go`;
const SCHEMA = { type: "object", properties: { command: { type: "string" } }, required: ["command"] };
const MESSAGES = [{ role: "user", content: PROMPT }];
const TOOL = { name: "shell", parameters: SCHEMA };
const GOOGLE = "/v1beta/models/m";

interface Case {
  readonly whole: string;
  readonly stream: string;
  readonly body: JsonRecord;
  /** Every record of the answer that tells of a call, however little. */
  readonly isCall: (record: JsonRecord) => boolean;
}

const CASES: Readonly<Record<string, Case>> = {
  anthropic: {
    whole: "/v1/messages",
    stream: "/v1/messages",
    body: { model: "m", messages: MESSAGES, tools: [{ name: "shell", input_schema: SCHEMA }] },
    isCall: ({ type }) => type === "tool_use",
  },
  responses: {
    whole: "/v1/responses",
    stream: "/v1/responses",
    body: { model: "m", input: PROMPT, tools: [{ type: "function", ...TOOL }] },
    isCall: ({ type }) => type === "function_call",
  },
  chat: {
    whole: "/v1/chat/completions",
    stream: "/v1/chat/completions",
    body: { model: "m", messages: MESSAGES, tools: [{ type: "function", function: TOOL }] },
    isCall: ({ type }) => type === "function",
  },
  google: {
    whole: `${GOOGLE}:generateContent`,
    stream: `${GOOGLE}:streamGenerateContent?alt=sse`,
    body: {
      contents: [{ role: "user", parts: [{ text: PROMPT }] }],
      tools: [{ functionDeclarations: [TOOL] }],
    },
    isCall: (record) => "args" in record,
  },
};

/** A value and all records inside it. */
function recordsIn(value: unknown): readonly JsonRecord[] {
  if (Array.isArray(value)) return value.flatMap(recordsIn);
  return isRecord(value) ? [value, ...Object.values(value).flatMap(recordsIn)] : [];
}

const eventsIn = (text: string): readonly unknown[] =>
  [...text.matchAll(/^data: (\{.*\})\r?$/gm)].map(([, json = ""]) => JSON.parse(json) as unknown);

describe.each(Object.entries(CASES))("a pair of calls in the dialect %s", (name, { isCall, ...asked }) => {
  async function ask(path: string, more: JsonRecord): Promise<string> {
    const headers = { "x-api-key": name, "content-type": "application/json" };
    const body = JSON.stringify({ ...asked.body, ...more });
    const response = await fetch(upstream.url + path, { method: "POST", headers, body });
    expect(response.status).toBe(200);
    return await response.text();
  }
  const idsIn = (records: readonly JsonRecord[]) =>
    new Set(records.filter(isCall).map((call) => call["call_id"] ?? call["id"]));

  it("has two ids and two commands behind a text, in one piece", async () => {
    const text = await ask(asked.whole, {});
    expect(idsIn(recordsIn(JSON.parse(text))).size).toBe(2);
    expect(text).toMatch(/I will run the tool[^]*echo relay-tool-ok[^]*echo relay-tool-too/);
  });

  it("has the same in a stream, where no piece of the one passes for a piece of the other", async () => {
    const events = eventsIn(await ask(asked.stream, { stream: true }));
    expect(idsIn(recordsIn(events)).size).toBe(2);
    expect(argumentsOf(events)).toEqual([
      { command: "echo relay-tool-ok" },
      { command: "echo relay-tool-too" },
    ]);
  });
});

/** Puts the calls of a stream together by what each piece says it belongs to. */
function argumentsOf(events: readonly unknown[]): readonly unknown[] {
  const texts = new Map<unknown, string>();
  const whole: unknown[] = [];
  const add = (place: unknown, piece: unknown) =>
    texts.set(place, (texts.get(place) ?? "") + (typeof piece === "string" ? piece : ""));
  for (const event of events.filter(isRecord)) {
    const records = recordsIn(event);
    if (event["type"] === "response.function_call_arguments.delta") add(event["item_id"], event["delta"]);
    for (const { type, partial_json: piece } of records) {
      if (type === "input_json_delta") add(event["index"], piece);
    }
    for (const { index, function: called } of records.flatMap((record) => recordsOf(record["tool_calls"]))) {
      if (isRecord(called)) add(index, called["arguments"]);
    }
    whole.push(...records.filter((record) => "args" in record).map(({ args }) => args));
  }
  return [...whole, ...[...texts.values()].map((text) => JSON.parse(text) as unknown)];
}
