/** The fake's OpenAI dialects: what a client of each sees. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { answer } from "./behaviour.ts";
import { startUpstream, type Upstream } from "./server.ts";

let upstream: Upstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());

const post = (path: string, body: unknown, headers: Record<string, string>) =>
  fetch(upstream.url + path, { method: "POST", headers, body: JSON.stringify(body) });

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });
const CHAT = { model: "gpt-6-sol", messages: [{ role: "user", content: "Hi" }] };

describe("the fake's OpenAI dialects", () => {
  it("stream a response to its end, and book what they told", async () => {
    const response = await post(
      "/v1/responses",
      { model: "gpt-6-sol", stream: true, input: "Hi" },
      bearer("r-1"),
    );
    const text = await response.text();
    expect(text).toMatch(/^event: response\.created\ndata: \{"type":"response\.created"/);
    expect(text).toContain("event: response.completed");
    const usage = /"output_tokens":(\d+)/.exec(text)?.[1];
    expect(await upstream.control.statsOf("r-1")).toMatchObject({
      requests: 1,
      answersInFull: 1,
      usage: { outputTokens: Number(usage) },
    });
  });

  it("answer a chat with chunks, with usage only for who asks", async () => {
    const plain = await (await post("/chat/completions", { ...CHAT, stream: true }, bearer("c-1"))).text();
    expect(plain).not.toContain("usage");
    expect(plain.endsWith("data: [DONE]\n\n")).toBe(true);
    const asked = { ...CHAT, stream: true, stream_options: { include_usage: true } };
    expect(await (await post("/chat/completions", asked, bearer("c-1"))).text()).toContain(
      '"choices":[],"usage":{',
    );
  });

  it("have figures that hold one another, as OpenAI's do", async () => {
    await upstream.control.set(
      "c-2",
      answer({
        usage: {
          input_tokens: 10,
          output_tokens: 8,
          cache_read_input_tokens: 30,
          cache_creation_input_tokens: 5,
        },
      }),
    );
    expect(await (await post("/v1/chat/completions", CHAT, bearer("c-2"))).json()).toMatchObject({
      usage: {
        prompt_tokens: 45,
        completion_tokens: 8,
        prompt_tokens_details: { cached_tokens: 30, cache_write_tokens: 5 },
      },
    });
  });

  it("call a tool of their own choice, and answer to its output", async () => {
    const input = [{ role: "user", content: "TOOLTASK" }];
    const parameters = { type: "object", properties: { cmd: { type: "string" } } };
    const ask = async (body: object) => {
      const response = await post("/v1/responses", { model: "m", ...body }, bearer("t-1"));
      return (await response.json()) as { output: object[] };
    };
    const tools = [{ type: "function", name: "exec_command", parameters }];
    const called = await ask({ input, tools });
    expect(called.output.at(-1)).toMatchObject({
      type: "function_call",
      name: "exec_command",
      arguments: '{"cmd":"echo relay-tool-ok"}',
    });
    const result = { type: "function_call_output", call_id: "c", output: "done" };
    const answered = await ask({ input: [...input, ...called.output, result], tools });
    expect(answered.output).toMatchObject([{ content: [{ text: "fake answer: the tool said: done" }] }]);
  });

  it("run a script where the tool in a namespace among the items takes one, as Codex has it", async () => {
    const input = [
      {
        type: "additional_tools",
        role: "developer",
        tools: [{ type: "namespace", name: "functions", tools: [{ type: "custom", name: "exec" }] }],
      },
      { role: "user", content: "TOOLTASK" },
    ];
    const body = { model: "m", stream: true, input };
    const text = await (await post("/v1/responses", body, bearer("t-2"))).text();
    expect(text).toContain('"type":"custom_tool_call"');
    expect(text).toContain("event: response.custom_tool_call_input.delta");
    expect(text).toContain("tools.exec_command");
    const output = [{ type: "input_text", text: "done" }];
    const result = { type: "custom_tool_call_output", call_id: "c", output };
    const answered = await post("/v1/responses", { ...body, input: [...input, result] }, bearer("t-2"));
    expect(await answered.text()).toContain("the tool said: done");
  });

  it("book no output for what has none", async () => {
    await (await post("/v1/embeddings", { model: "m", input: "Hi" }, bearer("e-1"))).text();
    const { usage } = await upstream.control.statsOf("e-1");
    expect(usage).toMatchObject({ inputTokens: 12, outputTokens: 0 });
  });

  it("know Azure's paths and its header, and refuse in OpenAI's shape", async () => {
    const path = "/openai/deployments/d/embeddings?api-version=1";
    expect(await (await post(path, { model: "m", input: "Hi" }, { "api-key": "a-1" })).json()).toMatchObject({
      object: "list",
      usage: { total_tokens: expect.any(Number) as number },
    });
    expect(await (await post("/responses", { model: "m", input: "x" }, {})).json()).toMatchObject({
      error: { type: "authentication_error" },
    });
    expect((await post("/v1/responses", { model: "m" }, bearer("r-2"))).status).toBe(400);
  });
});
