import { describe, expect, it } from "vitest";
import { parseChatCall } from "./parse.ts";
import { prepare, UsageChunkFilter } from "./usage-chunk.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function prepared(body: Record<string, unknown>, path = "/v1/chat/completions") {
  const call = { body: bytesOf(JSON.stringify(body)), headers: new Headers(), path, query: "" };
  const result = prepare(call, parseChatCall(call));
  return result === null ? null : (JSON.parse(textOf(result.body)) as unknown);
}

const CALL = { model: "m", messages: [{ role: "user", content: "x" }] };

describe("prepare", () => {
  it("asks for the usage of a stream where the client did not", () => {
    const asked = { ...CALL, stream: true, stream_options: { include_usage: true } };
    expect(prepared({ ...CALL, stream: true })).toEqual(asked);
    expect(prepared({ ...CALL, stream: true, stream_options: null })).toEqual(asked);
    expect(
      prepared({
        stream: true,
        stream_options: { include_usage: false, include_obfuscation: false },
        ...CALL,
      }),
    ).toEqual({ ...asked, stream_options: { include_usage: true, include_obfuscation: false } });
  });

  it("leaves every other call as it is", () => {
    expect(prepared({ ...CALL, stream: true, stream_options: { include_usage: true } })).toBeNull();
    expect(prepared(CALL)).toBeNull();
    expect(prepared({ ...CALL, stream: true, stream_options: "yes" })).toBeNull();
    expect(prepared({ model: "m", input: "x" }, "/v1/embeddings")).toBeNull();
  });
});

const SAID = 'data: {"choices":[{"index":0,"delta":{"content":"héllo 多"},"finish_reason":null}]}';
const FILTERED = 'data: {"choices":[],"prompt_filter_results":[],"usage":null}';
const FINISH = 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":null}';
const USAGE = 'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}';
const DONE = "data: [DONE]";

function filtered(text: string, slice: number): string {
  const filter = new UsageChunkFilter();
  const bytes = bytesOf(text);
  const decoder = new TextDecoder();
  let passed = "";
  for (let at = 0; at < bytes.length; at += slice)
    passed += decoder.decode(filter.push(bytes.subarray(at, at + slice)), { stream: true });
  return passed + decoder.decode(filter.end());
}

describe("UsageChunkFilter", () => {
  it.each(["\n\n", "\r\n\r\n", "\r\r"])(
    "hides the usage chunk and passes all else byte for byte, however the stream is sliced (%j)",
    (end) => {
      const kept = [": comment", FILTERED, SAID, FINISH];
      const text = [...kept, USAGE, DONE].map((event) => event + end).join("");
      for (const slice of [1, 2, 3, 5, 7, 64, text.length * 2]) {
        const passed = filtered(text, slice);
        expect(passed).not.toContain("prompt_tokens");
        expect(passed).toBe([...kept, DONE].map((event) => event + end).join(""));
      }
    },
  );

  it("passes an event that was cut, and hides the chunk without its blank line", () => {
    expect(filtered(`${SAID}\n\n${SAID.slice(0, 30)}`, 7)).toBe(`${SAID}\n\n${SAID.slice(0, 30)}`);
    expect(filtered(`${SAID}\n\n${USAGE}`, 7)).toBe(`${SAID}\n\n`);
  });

  it("holds no event that is larger than a usage chunk could be", () => {
    const large = `data: {"choices":[{"delta":{"content":"${"x".repeat(1_200_000)}"}}]}\n\n`;
    expect(filtered(large + USAGE + "\n\n", 65_536)).toBe(large);
    const filter = new UsageChunkFilter();
    const passed = filter.push(bytesOf(large.slice(0, 1_100_000)));
    expect(passed.length).toBe(1_100_000);
  });
});
