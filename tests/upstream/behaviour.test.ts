import { afterAll, describe, expect, it } from "vitest";
import { gunzipSync } from "node:zlib";
import {
  forbidden,
  foreignThinking,
  organizationDisabled,
  overloaded,
  rateLimited,
  serverError,
  unauthorized,
  withWindows,
  type Behaviour,
} from "./behaviour.ts";
import { BODY, callsTo, eventNames } from "./calls.ts";
import { startUpstream } from "./server.ts";

const upstream = await startUpstream();
const { post, postTold } = callsTo(upstream);
afterAll(async () => {
  await upstream.close();
});

describe("behaviours", () => {
  it.each([
    [rateLimited({ resetAt: 1_800_000_000, retryAfterS: 7, claim: "five_hour" }), 429, "rate_limit_error"],
    [overloaded(), 529, "overloaded_error"],
    [unauthorized(), 401, "authentication_error"],
    [forbidden("no"), 403, "permission_error"],
    [serverError(503), 503, "api_error"],
    [organizationDisabled(), 400, "invalid_request_error"],
  ])("gives Anthropic's error body for %o", async (behaviour, status, type) => {
    const response = await postTold("status", behaviour);
    expect(response.status).toBe(status);
    const body = { type: "error", error: { type }, request_id: response.headers.get("request-id") };
    expect(await response.json()).toMatchObject(body);
  });

  it("names the exhausted window in the headers of a 429", async () => {
    const limit = rateLimited({ resetAt: 1_800_000_000, retryAfterS: 7, claim: "five_hour" });
    const { headers } = await postTold("limit", limit);
    expect(headers.get("retry-after")).toBe("7");
    expect(headers.get("anthropic-ratelimit-unified-status")).toBe("rejected");
    expect(headers.get("anthropic-ratelimit-unified-reset")).toBe("1800000000");
    expect(headers.get("anthropic-ratelimit-unified-representative-claim")).toBe("five_hour");
  });

  it("goes through the queue, then back to normal", async () => {
    await upstream.control.set("queue", [overloaded(), serverError(500)]);
    const statuses = [];
    for (let index = 0; index < 3; index += 1) statuses.push((await post("queue")).status);
    expect(statuses).toEqual([529, 500, 200]);
  });

  it("keeps endpoints apart", async () => {
    await upstream.control.order({ subject: "endpoints", endpoint: "count_tokens", standing: overloaded() });
    expect((await post("endpoints")).status).toBe(200);
    expect((await post("endpoints", {}, "/v1/messages/count_tokens")).status).toBe(529);
  });

  it("chooses by model", async () => {
    const behaviour: Behaviour = { kind: "perModel", models: [{ model: "opus", then: rateLimited() }] };
    await upstream.control.set("by-model", behaviour);
    expect((await post("by-model")).status).toBe(429);
    expect((await post("by-model", { model: "claude-haiku-4-5" })).status).toBe(200);
  });

  it("chooses by whether the conversation holds thinking", async () => {
    await upstream.control.set("thinking", { kind: "ifThinking", then: foreignThinking() });
    const block = { type: "thinking", thinking: "Hm.", signature: "c2ln" };
    const messages = [
      { role: "user", content: "Hi" },
      { role: "assistant", content: [block, { type: "text", text: "Hello" }] },
      { role: "user", content: "And?" },
    ];
    expect((await post("thinking", { messages })).status).toBe(400);
    expect((await post("thinking")).status).toBe(200);
  });

  it("stops inside a stream until its gate is released, then sends the rest or an error", async () => {
    const stop: Behaviour = {
      kind: "gateInside",
      afterEvents: 2,
      gate: "inside",
      answer: { earlyPing: true },
    };
    const reader = (await postTold("inside", stop, { stream: true })).body
      ?.pipeThrough(new TextDecoderStream())
      .getReader();
    expect(eventNames((await reader?.read())?.value ?? "")).toEqual(["message_start", "ping"]);
    await upstream.control.release("inside");
    let rest = "";
    for (let piece = await reader?.read(); piece?.done === false; piece = await reader?.read())
      rest += piece.value;
    expect(eventNames(rest)[0]).toBe("content_block_start");
    expect(eventNames(rest).at(-1)).toBe("message_stop");
    const error = { type: "overloaded_error", message: "Overloaded" };
    const failing = await postTold("inside", { ...stop, error }, { stream: true });
    expect(eventNames(await failing.text())).toEqual(["message_start", "ping", "error"]);
  });

  it("tells an account's limits as ordered, and the usual ones otherwise", async () => {
    const warning = { status: "allowed_warning", resetAt: 1_900_000_000, utilization: 0.9 } as const;
    const { headers } = await postTold("windows", withWindows({ "5h": warning }));
    expect(headers.get("anthropic-ratelimit-unified-5h-status")).toBe("allowed_warning");
    expect(headers.get("anthropic-ratelimit-unified-5h-reset")).toBe("1900000000");
    expect(headers.get("anthropic-ratelimit-unified-7d-status")).toBe("allowed");
  });

  it("cuts the stream after the events told, by a broken connection or by a clean end", async () => {
    await upstream.control.set("cut", { kind: "cut", afterEvents: 5, mode: "reset" });
    const reset = await post("cut", { stream: true });
    await expect(reset.text()).rejects.toThrow();
    const clean = await postTold("cut", { kind: "cut", afterEvents: 5, mode: "cleanEnd" }, { stream: true });
    expect(eventNames(await clean.text())).toHaveLength(5);
    const middle: Behaviour = { kind: "cut", afterEvents: 5, mode: "cleanEnd", midEvent: true };
    const text = await (await postTold("cut", middle, { stream: true })).text();
    expect(text.endsWith("\n\n")).toBe(false);
    const [entry] = await upstream.control.log("cut");
    expect(entry).toMatchObject({ behaviour: "cut", clientAborted: false, usageReported: null });
    expect(entry?.usageStarted?.input_tokens).toBe(19);
  });

  it("destroys the connection before the headers", async () => {
    await expect(postTold("reset", { kind: "reset" })).rejects.toThrow();
  });

  it("sends an error event inside a 200, and an error status without stream", async () => {
    const behaviour: Behaviour = {
      kind: "errorEvent",
      afterEvents: 4,
      errorType: "overloaded_error",
      message: "busy",
    };
    const streamed = await postTold("error-event", behaviour, { stream: true });
    expect(eventNames(await streamed.text()).at(-1)).toBe("error");
    expect((await post("error-event")).status).toBe(529);
  });

  it.each(["beforeHeaders", "afterHeaders", "midStream"] as const)(
    "hangs %s until the client leaves",
    async (phase) => {
      const subject = `hang-${phase}`;
      await upstream.control.set(subject, { kind: "hang", phase });
      const leave = new AbortController();
      const headers = { authorization: `Bearer ${subject}` };
      const body = JSON.stringify({ ...BODY, stream: true });
      const pending = fetch(`${upstream.url}/v1/messages`, {
        method: "POST",
        headers,
        body,
        signal: leave.signal,
      });
      if (phase === "beforeHeaders") await upstream.control.until(subject, ({ open }) => open === 1);
      else await pending;
      leave.abort();
      await pending.catch(() => null);
      expect(await upstream.control.idle(subject)).toMatchObject({ clientAborts: 1, openMax: 1 });
    },
  );

  it("streams for ever until the client leaves", async () => {
    const response = await postTold("endless", { kind: "endless", intervalMs: 1 }, { stream: true });
    const reader = response.body?.getReader();
    for (let index = 0; index < 5; index += 1) expect((await reader?.read())?.done).toBe(false);
    await reader?.cancel();
    expect((await upstream.control.idle("endless")).clientAborts).toBe(1);
  });

  it("holds requests at a gate, and counts how many are there at once", async () => {
    await upstream.control.set("gate", { kind: "gate", gate: "g1", then: { kind: "answer" } });
    const pending = [post("gate"), post("gate"), post("gate")];
    await upstream.control.until("gate", ({ open }) => open === 3);
    await upstream.control.release("g1");
    for (const response of await Promise.all(pending)) expect(response.status).toBe(200);
    expect(await upstream.control.idle("gate")).toMatchObject({ requests: 3, open: 0, openMax: 3 });
  });
});

describe("malformed answers", () => {
  it.each(["json", "html", "wrongLength", "truncatedGzip"] as const)(
    "cannot be read when %s",
    async (what) => {
      const response = await postTold("malformed", { kind: "malformed", what });
      expect(response.status).toBe(200);
      await expect(response.json()).rejects.toThrow();
    },
  );

  it("still end the stream when one event is broken, and give text for numbers in broken usage", async () => {
    const sse = await (
      await postTold("malformed", { kind: "malformed", what: "sse" }, { stream: true })
    ).text();
    expect(sse).toContain("never_heard_of");
    expect(eventNames(sse).at(-1)).toBe("message_stop");
    const usage = await (await postTold("malformed", { kind: "malformed", what: "brokenUsage" })).text();
    expect(usage).toContain('"input_tokens":"many"');
  });

  it("lie about the content type", async () => {
    const response = await postTold(
      "malformed",
      { kind: "malformed", what: "wrongContentType" },
      { stream: true },
    );
    expect(response.headers.get("content-type")).toBe("application/json");
    expect(await response.text()).toContain("event: message_stop");
  });
});

describe("compression against the client's wish", () => {
  it("sends real gzip", async () => {
    await upstream.control.set("gzip", { kind: "answer", gzip: true });
    const { request } = await import("node:http");
    const bytes = await new Promise<Buffer>((resolve, reject) => {
      const headers = { "x-api-key": "gzip", "accept-encoding": "identity" };
      const call = request(`${upstream.url}/v1/messages`, { method: "POST", headers }, (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.on("end", () => {
          resolve(Buffer.concat(chunks));
        });
      });
      call.on("error", reject);
      call.end(JSON.stringify(BODY));
    });
    expect(gunzipSync(bytes).toString()).toContain("fake answer");
  });
});

describe("the ledger", () => {
  it("sums every usage field that was reported in full", async () => {
    const usage = {
      input_tokens: 5,
      output_tokens: 7,
      cache_creation: { ephemeral_5m_input_tokens: 11, ephemeral_1h_input_tokens: 13 },
      cache_read_input_tokens: 17,
      server_tool_use: { web_search_requests: 2 },
    };
    await upstream.control.set("sums", { kind: "answer", usage });
    await (await post("sums")).text();
    await (await post("sums", { stream: true })).text();
    const expected = {
      inputTokens: 10,
      outputTokens: 14,
      cacheCreationInputTokens: 48,
      cacheCreation5mInputTokens: 22,
      cacheCreation1hInputTokens: 26,
      cacheReadInputTokens: 34,
      webSearchRequests: 4,
    };
    expect((await upstream.control.statsOf("sums")).usage).toEqual(expected);
  });

  it("logs bodies only when asked, long ones by their hash", async () => {
    await post("record");
    await upstream.control.recordBodies("record");
    await post("record");
    await post("record", { system: "x".repeat(70_000) });
    const bodies = (await upstream.control.log("record")).map(({ body, bodySha256 }) => [
      body,
      bodySha256?.length ?? 0,
    ]);
    expect(bodies).toEqual([
      [null, 0],
      [BODY, 64],
      [null, 64],
    ]);
  });

  it("forgets one subject without touching the others", async () => {
    await post("forget-me");
    await post("keep-me");
    await upstream.control.reset("forget-me");
    expect(await upstream.control.log("forget-me")).toEqual([]);
    expect((await upstream.control.statsOf("forget-me")).requests).toBe(0);
    expect((await upstream.control.statsOf("keep-me")).requests).toBe(1);
  });
});
