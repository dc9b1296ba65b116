/** What every dialect of the fake can be made to do. */
import { afterAll, describe, expect, it } from "vitest";
import type { Behaviour } from "./behaviour.ts";
import { startUpstream } from "./server.ts";

const upstream = await startUpstream();
afterAll(() => upstream.close());

const MESSAGES = { stream: true, model: "m", messages: [{ role: "user", content: "Hi" }] };
const CONTENTS = { contents: [{ role: "user", parts: [{ text: "Hi" }] }] };
const GOOGLE = "/v1beta/models/m:streamGenerateContent";

const DIALECTS: readonly (readonly [name: string, path: string, body: object])[] = [
  ["anthropic", "/v1/messages", MESSAGES],
  ["responses", "/v1/responses", { stream: true, model: "m", input: "Hi" }],
  ["chat", "/v1/chat/completions", { ...MESSAGES, stream_options: { include_usage: true } }],
  ["google-sse", `${GOOGLE}?alt=sse`, CONTENTS],
  ["google-array", GOOGLE, CONTENTS],
  ["code-assist", "/v1internal:streamGenerateContent?alt=sse", { model: "m", request: CONTENTS }],
];

describe.each(DIALECTS)("the dialect %s", (name, path, body) => {
  async function post(behaviour: Behaviour): Promise<Response> {
    await upstream.control.set(name, behaviour);
    const headers = { "x-api-key": name, "content-type": "application/json" };
    return await fetch(upstream.url + path, { method: "POST", headers, body: JSON.stringify(body) });
  }
  const withoutIds = (text: string) => text.replaceAll(/(msg|resp|chatcmpl)[-_][0-9a-z]+/g, "id");

  it("goes on after its gate as if there had been none, or with an error", async () => {
    const whole = await (await post({ kind: "answer" })).text();
    const stop = { kind: "gateInside", afterEvents: 2, gate: name } as const;
    const stopped = await post(stop);
    await upstream.control.release(name);
    expect(withoutIds(await stopped.text())).toBe(withoutIds(whole));
    const failing = await post({ ...stop, error: { type: "RESOURCE_EXHAUSTED", message: "made to fail" } });
    await upstream.control.release(name);
    const text = await failing.text();
    expect(text).toContain("made to fail");
    expect(text).toContain("RESOURCE_EXHAUSTED");
  });

  it("ends early, with an error or by a cut, and never ends when told so", async () => {
    const error = { kind: "errorEvent", errorType: "api_error", message: "made to fail" } as const;
    expect(await (await post({ ...error, afterEvents: 1 })).text()).toContain("made to fail");
    const cut = { kind: "cut", afterEvents: 1, midEvent: true } as const;
    expect((await (await post({ ...cut, mode: "cleanEnd" })).text()).length).toBeGreaterThan(0);
    await expect((await post({ ...cut, mode: "reset" })).text()).rejects.toThrow();
    const endless = (await post({ kind: "endless", intervalMs: 1 })).body
      ?.pipeThrough(new TextDecoderStream())
      .getReader();
    let text = "";
    while (!text.includes("还有 2")) text += (await endless?.read())?.value ?? "";
    await endless?.cancel();
  });

  it("reports usage that is none, and falls silent", async () => {
    const broken = await (await post({ kind: "malformed", what: "brokenUsage" })).text();
    expect(broken).toContain('"many"');
    const silent = await post({ kind: "hang", phase: "midStream", afterEvents: 1 });
    expect(silent.headers.get("content-type")).toMatch(/event-stream|json/);
    await silent.body?.cancel();
  });

  it("refuses what it cannot read, and who may not ask", async () => {
    const ask = (key: string, text: string) =>
      fetch(upstream.url + path, { method: "POST", headers: { "x-api-key": key }, body: text });
    expect((await ask(name, "{}")).status).toBe(400);
    expect((await ask("refused", JSON.stringify(body))).status).toBe(401);
  });
});
