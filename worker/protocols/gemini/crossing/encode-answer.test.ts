import { describe, expect, it } from "vitest";
import { clientCall } from "../../__fixtures__/crossing.ts";
import { FACTS } from "../../__fixtures__/neutral-answers.ts";
import type { AnswerEvent, AnswerUsage } from "../../neutral.ts";
import type { ElementFrame } from "../../protocol.ts";
import { createEncoder } from "./encode-answer.ts";
import { gemini } from "../index.ts";
import { signatureText } from "./signatures.ts";

const encoder = (query = "alt=sse") => createEncoder(clientCall("", {}, query), FACTS);
const usage: AnswerUsage = { input: 10, cacheRead: 5, cacheWrite: 2, output: 20, reasoning: 8 };
const finish = (reason: Extract<AnswerEvent, { kind: "finish" }>["reason"]): AnswerEvent => ({
  kind: "finish",
  reason,
  stopSequence: null,
});
const signature = { origin: "anthropic", data: "c2ln" } as const;
const thoughtSignature = signatureText(signature);

const message = (parts: unknown[], more: object = {}, top: object = {}) => ({
  candidates: [{ content: { role: "model", parts }, ...more, index: 0 }],
  modelVersion: "some-model",
  responseId: "req_0123456789",
  ...top,
});

/** Google's SDK forgets a turn that has a message without parts. */
const NO_WORDS = { text: "" };

/** What each event comes to, as parsed messages. */
const said = (events: readonly AnswerEvent[]) => {
  const out = encoder();
  return events.map((event) =>
    out
      .encode(event)
      .split("\r\n\r\n")
      .filter((text) => text !== "")
      .map((text) => JSON.parse(text.replace(/^data: /, "")) as unknown),
  );
};

describe("a stream of events", () => {
  it("says every piece at once, and calls when they are whole", () => {
    const call = { kind: "tool_call", id: "toolu_1", name: "f" } as const;
    expect(
      said([
        { kind: "start", id: "msg_1", model: "claude" },
        { kind: "open", index: 0, part: { kind: "thinking", redacted: false } },
        { kind: "delta", index: 0, text: "Hm" },
        { kind: "signature", index: 0, signature },
        { kind: "close", index: 0 },
        { kind: "open", index: 1, part: { kind: "text" } },
        { kind: "delta", index: 1, text: "Hello" },
        { kind: "open", index: 2, part: call },
        { kind: "signature", index: 2, signature },
        { kind: "delta", index: 2, text: '{"a"' },
        { kind: "delta", index: 2, text: ":1}" },
        { kind: "close", index: 2 },
        { kind: "close", index: 1 },
        { kind: "media", mediaType: "image/png", data: "AA==" },
        { kind: "usage", usage },
        finish("tool_calls"),
        { kind: "end" },
      ]),
    ).toEqual([
      [],
      [],
      [message([{ text: "Hm", thought: true }])],
      [message([{ text: "", thought: true, thoughtSignature }])],
      [],
      [],
      [message([{ text: "Hello" }])],
      [],
      [],
      [],
      [],
      [message([{ functionCall: { id: "toolu_1", name: "f", args: { a: 1 } }, thoughtSignature }])],
      [],
      [message([{ inlineData: { mimeType: "image/png", data: "AA==" } }])],
      [],
      [],
      [
        message(
          [NO_WORDS],
          { finishReason: "STOP" },
          {
            usageMetadata: {
              promptTokenCount: 17,
              cachedContentTokenCount: 5,
              candidatesTokenCount: 12,
              thoughtsTokenCount: 8,
              totalTokenCount: 37,
            },
          },
        ),
      ],
    ]);
  });

  it("has redacted thoughts without any text, and a refusal's words as the answer's", () => {
    expect(
      said([
        { kind: "open", index: 0, part: { kind: "thinking", redacted: true } },
        { kind: "signature", index: 0, signature },
        { kind: "close", index: 0 },
        { kind: "open", index: 1, part: { kind: "refusal" } },
        { kind: "delta", index: 1, text: "I cannot." },
      ]).flat(),
    ).toEqual([message([{ thought: true, thoughtSignature }]), message([{ text: "I cannot." }])]);
  });

  it.each([
    ["stop", "STOP"],
    ["stop_sequence", "STOP"],
    ["tool_calls", "STOP"],
    ["length", "MAX_TOKENS"],
    ["refused", "SAFETY"],
  ] as const)("finishes %s with %s, and with the usage that came after", (reason, finishReason) => {
    expect(
      said([
        finish(reason),
        { kind: "usage", usage: { ...usage, cacheRead: 0, reasoning: 0 } },
        { kind: "end" },
      ]),
    ).toEqual([
      [],
      [],
      [
        message(
          [NO_WORDS],
          { finishReason },
          { usageMetadata: { promptTokenCount: 12, candidatesTokenCount: 20, totalTokenCount: 32 } },
        ),
      ],
    ]);
  });

  it.each([
    ["overloaded_error", 503, "UNAVAILABLE"],
    ["rate_limit_error", 429, "RESOURCE_EXHAUSTED"],
    ["invalid_request_error", 400, "INVALID_ARGUMENT"],
    ["api_error", 500, "INTERNAL"],
    ["DEADLINE_EXCEEDED", 504, "DEADLINE_EXCEEDED"],
    ["whatever", 500, "INTERNAL"],
  ])("tells an error %s as %d %s", (type, code, status) => {
    expect(encoder().encode({ kind: "error", type, message: "Broken" })).toBe(
      `data: {"error":{"code":${String(code)},"status":"${status}","message":"Broken"}}\r\n\r\n`,
    );
  });
});

describe("a stream that is an array", () => {
  const events: AnswerEvent[] = [
    { kind: "open", index: 0, part: { kind: "text" } },
    { kind: "delta", index: 0, text: "a" },
    { kind: "delta", index: 0, text: "b" },
    { kind: "close", index: 0 },
  ];
  const ended: AnswerEvent[] = [...events, finish("stop"), { kind: "end" }];

  it("is one array in the end, and only then", () => {
    const out = encoder("");
    expect(out.streamType).toContain("application/json");
    const text = ended.map((event) => out.encode(event)).join("");
    expect(JSON.parse(text)).toEqual([
      message([{ text: "a" }]),
      message([{ text: "b" }]),
      message([NO_WORDS], { finishReason: "STOP" }),
    ]);
    expect(out.frame).toBeNull();
  });

  it("takes an error of the relay's wherever it stands", () => {
    const error = { code: "upstream_interrupted", message: "Cut", retryAfterMs: null } as const;
    for (let count = 0; count <= events.length; count++) {
      const out = encoder("");
      const text = events
        .slice(0, count)
        .map((event) => out.encode(event))
        .join("");
      const frame: ElementFrame | null = out.frame ?? null;
      const whole = text + new TextDecoder().decode(gemini.renderErrorEvent(error, "r", true, frame));
      expect((JSON.parse(whole) as object[]).at(-1)).toMatchObject({ error: { message: "Cut" } });
    }
  });

  it("ends with an error of the upstream's", () => {
    const out = encoder("alt=json");
    const text = [...events, { kind: "error", type: "x", message: "Broken" } as const]
      .map((event) => out.encode(event))
      .join("");
    expect((JSON.parse(text) as object[]).at(-1)).toEqual({
      error: { code: 500, status: "INTERNAL", message: "Broken" },
    });
    expect(out.frame).toBeNull();
  });

  it("has no frame where events lie side by side", () => {
    expect(encoder().frame).toBeUndefined();
  });
});

describe("a whole answer", () => {
  it("has what belongs together in one part", () => {
    const events: AnswerEvent[] = [
      { kind: "open", index: 0, part: { kind: "thinking", redacted: false } },
      { kind: "delta", index: 0, text: "H" },
      { kind: "delta", index: 0, text: "m" },
      { kind: "signature", index: 0, signature },
      { kind: "close", index: 0 },
      { kind: "open", index: 1, part: { kind: "thinking", redacted: true } },
      { kind: "signature", index: 1, signature },
      { kind: "close", index: 1 },
      { kind: "open", index: 2, part: { kind: "text" } },
      { kind: "delta", index: 2, text: "Yes" },
      { kind: "delta", index: 2, text: "!" },
      { kind: "close", index: 2 },
      finish("length"),
      { kind: "end" },
    ];
    expect(JSON.parse(encoder("").whole(events))).toEqual(
      message(
        [
          { text: "Hm", thought: true, thoughtSignature },
          { thought: true, thoughtSignature },
          { text: "Yes!" },
        ],
        { finishReason: "MAX_TOKENS" },
      ),
    );
  });

  it("keeps arguments that are cut off apart from real ones", () => {
    const events: AnswerEvent[] = [
      { kind: "open", index: 0, part: { kind: "tool_call", id: "a", name: "f" } },
      { kind: "delta", index: 0, text: '{"path":"/tm' },
      { kind: "close", index: 0 },
      finish("length"),
      { kind: "end" },
    ];
    expect(JSON.parse(encoder("").whole(events))).toMatchObject(
      message([{ functionCall: { id: "a", name: "f", args: { _raw: '{"path":"/tm' } } }]),
    );
  });
});
