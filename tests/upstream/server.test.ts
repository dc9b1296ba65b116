import { afterAll, describe, expect, it } from "vitest";
import { SEND_TIME_PATTERN, type Behaviour } from "./behaviour.ts";
import { BODY, callsTo, eventNames } from "./calls.ts";
import { derivedUsage } from "./derived-usage.ts";
import { startUpstream } from "./server.ts";

const upstream = await startUpstream();
const { post, postTold } = callsTo(upstream);
afterAll(async () => {
  await upstream.close();
});

describe("POST /v1/messages without stream", () => {
  it("answers with the prompt and the usage derived from the request, under any base path", async () => {
    const response = await post("json-plain", {}, "/a/b/v1/messages?beta=true");
    expect(await response.json()).toMatchObject({
      type: "message",
      model: BODY.model,
      content: [{ type: "text", text: "fake answer: say 你好 🌍 你好，世界 🌍" }],
      stop_reason: "end_turn",
      usage: derivedUsage(BODY),
    });
  });

  it("carries the headers of the real upstream, secrets included", async () => {
    const response = await post("json-headers");
    expect(response.headers.get("request-id")).toMatch(/^req_/);
    expect(response.headers.get("anthropic-organization-id")).toMatch(/^org-secret-/);
    expect(response.headers.get("anthropic-ratelimit-unified-5h-status")).toBe("allowed");
    expect(response.headers.get("set-cookie")).toContain("secret");
  });

  it("lets the behaviour add and take away headers", async () => {
    const response = await postTold("json-header-change", {
      kind: "answer",
      headers: { "CF-Ray": null, "x-new": "1" },
    });
    expect([response.headers.get("cf-ray"), response.headers.get("x-new")]).toEqual([null, "1"]);
  });

  it("satisfies a JSON schema asked for", async () => {
    const schema = { type: "object", properties: { title: { type: "string" } }, required: ["title"] };
    const response = await post("json-schema", {
      output_config: { format: { type: "json_schema", schema } },
    });
    const message = (await response.json()) as { content: { text: string }[] };
    expect(JSON.parse(message.content[0]?.text ?? "")).toEqual({ title: "fake title" });
  });
});

describe("POST /v1/messages with stream", () => {
  it("sends every kind of event, and the usage at both ends", async () => {
    const tools = [{ name: "Bash", input_schema: BASH_SCHEMA }];
    const messages = [{ role: "user", content: "TOOLTASK please" }];
    const change = { stream: true, thinking: { type: "adaptive" }, tools, messages };
    const text = await (await post("sse-all", change)).text();
    const types = [
      "thinking_delta",
      "signature_delta",
      "text_delta",
      "input_json_delta",
      '"stop_reason":"tool_use"',
    ];
    for (const type of types) expect(text).toContain(type);
    expect(eventNames(text)).toContain("ping");
    expect(eventNames(text).at(-1)).toBe("message_stop");
    expect(text).toMatch(/message_start.*"ephemeral_1h_input_tokens":0.*"service_tier":"standard"/);
    expect(text).toMatch(/message_delta.*"output_tokens":35/);
  });

  it("says the same for every way of writing the bytes", async () => {
    const shapes = [{ chunkBytes: 1 }, { gzip: true }, { gzip: true, chunkBytes: 7 }, { eventIntervalMs: 1 }];
    const strip = (text: string) => text.replaceAll(/(msg|req)_\w+/g, "");
    const plain = strip(await (await post("sse-shape", { stream: true })).text());
    for (const shape of shapes) {
      const response = await postTold("sse-shape", { kind: "answer", ...shape }, { stream: true });
      expect(strip(await response.text())).toBe(plain);
    }
  });

  it("can end lines with CR and use a byte-order mark, comments and no space after data", async () => {
    const behaviour: Behaviour = {
      kind: "answer",
      lineEnd: "\r",
      bom: true,
      comments: true,
      spacelessData: true,
    };
    const bytes = await (await postTold("sse-odd", behaviour, { stream: true })).arrayBuffer();
    const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    expect(text).toMatch(/^\uFEFF: between\r\revent:message_start\r:inside\rdata:\{/);
    expect(text).not.toContain("\n");
  });

  it("puts the time of sending in each delta", async () => {
    const behaviour: Behaviour = { kind: "answer", sendTimes: true, events: 4 };
    const text = await (await postTold("sse-times", behaviour, { stream: true })).text();
    const times = [...text.matchAll(new RegExp(SEND_TIME_PATTERN, "g"))].map(([, time]) => Number(time));
    expect(times).toHaveLength(4);
    expect(Math.abs((times[0] ?? 0) - Date.now())).toBeLessThan(60_000);
  });

  it("reports usage only in message_delta, or nowhere, when told so", async () => {
    const late = await (
      await postTold("sse-late", { kind: "answer", usageInDeltaOnly: true }, { stream: true })
    ).text();
    expect(late).toMatch(/message_start.*"usage":\{"input_tokens":0,"output_tokens":0\}/);
    expect(late).toMatch(/message_delta.*"input_tokens":19/);
    const never = await (
      await postTold("sse-never", { kind: "answer", omitUsage: true }, { stream: true })
    ).text();
    expect(never).not.toContain("usage");
    expect((await upstream.control.statsOf("sse-never")).answersInFull).toBe(0);
  });

  it("makes one event as large as asked", async () => {
    const text = await (
      await postTold("sse-large", { kind: "answer", largeEventBytes: 300_000 }, { stream: true })
    ).text();
    const longest = Math.max(...text.split("\n").map((line) => Buffer.byteLength(line)));
    expect(longest).toBeGreaterThanOrEqual(300_000);
  });
});

const BASH_SCHEMA = {
  type: "object",
  properties: { command: { type: "string" }, timeout: { type: "number" }, description: { type: "string" } },
  required: ["command"],
};

describe("a tool task", () => {
  it("calls the client's shell tool by its schema, then quotes the tool's output", async () => {
    const tools = [{ name: "BashOutput" }, { name: "Bash", input_schema: BASH_SCHEMA }];
    const messages = [{ role: "user", content: "TOOLTASK please" }];
    const first = (await (await post("tool", { tools, messages })).json()) as { content: { id?: string }[] };
    const call = first.content.at(-1);
    expect(call).toMatchObject({ type: "tool_use", name: "Bash", input: { command: "echo relay-tool-ok" } });
    const result = {
      type: "tool_result",
      tool_use_id: call?.id,
      content: [{ type: "text", text: "relay-tool-ok\n" }],
    };
    const turns = [
      ...messages,
      { role: "assistant", content: first.content },
      { role: "user", content: [result] },
    ];
    const second = await (await post("tool", { tools, messages: turns })).text();
    expect(second).toContain("the tool said: relay-tool-ok");
    expect(second).toContain('"stop_reason":"end_turn"');
  });
});

describe("other calls", () => {
  it("refuses refused, missing and strictly unknown credentials with 401", async () => {
    await upstream.control.order({ subject: "strict-", strict: true });
    await upstream.control.set("strict-known", { kind: "answer" });
    const statuses = [];
    for (const key of ["refused-1", "strict-unknown", "strict-known"])
      statuses.push((await post(key)).status);
    const bare = await fetch(`${upstream.url}/v1/messages`, { method: "POST", body: JSON.stringify(BODY) });
    expect([...statuses, bare.status]).toEqual([401, 401, 200, 401]);
  });

  it("counts tokens, lists models, and knows nothing else", async () => {
    const count = await post("others", {}, "/team1/v1/messages/count_tokens?beta=true");
    expect(await count.json()).toEqual({ input_tokens: 19 });
    const models = await fetch(`${upstream.url}/team1/v1/models?limit=1000`, {
      headers: { "x-api-key": "others" },
    });
    expect(await models.json()).toMatchObject({ has_more: false, first_id: "claude-opus-5-5" });
    expect((await fetch(`${upstream.url}/api/hello`, { method: "HEAD" })).status).toBe(404);
    expect(await (await fetch(`${upstream.url}/nowhere`)).json()).toMatchObject({
      error: { type: "not_found_error" },
    });
  });

  it("refuses orders it does not understand", async () => {
    const orders = ["{", '{"subject":"x","standing":{"kind":"dance"}}', '{"queue":[]}'];
    for (const body of orders) {
      expect((await fetch(`${upstream.url}/__control/behaviour`, { method: "POST", body })).status).toBe(400);
    }
  });
});
