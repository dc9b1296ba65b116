import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isUserTurn, withoutBoundParts } from "./conversation.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);
const bodyOf = (messages: unknown) => bytesOf(JSON.stringify({ model: "m", messages, max_tokens: 1 }));

const user = (content: unknown) => ({ role: "user", content });
const assistant = (content: unknown) => ({ role: "assistant", content });
const text = { type: "text", text: "Hello" };
const thinking = { type: "thinking", thinking: "Hm.", signature: "c2ln" };
const redacted = { type: "redacted_thinking", data: "c2VhbGVk" };
const toolResult = { type: "tool_result", tool_use_id: "toolu_1", content: "done" };

describe("isUserTurn", () => {
  it.each<[string, unknown, boolean]>([
    ["a first message", [user("Hi")], true],
    ["a message of blocks", [user([text])], true],
    ["a message after an answer", [user("Hi"), assistant("Hello"), user("And?")], true],
    ["a message before a system message", [user("Hi"), { role: "system", content: "Be brief." }], true],
    ["a tool's answer", [user("Hi"), assistant([text]), user([toolResult])], false],
    ["a tool's answer with a reminder beside it", [user([toolResult, text])], false],
    ["an assistant's beginning", [user("Hi"), assistant("I")], false],
    ["nothing", [], false],
    ["what is no message", [null], false],
    ["what is no list", "Hi", false],
  ])("of %s is %s", (_, messages, expected) => {
    expect(isUserTurn(bodyOf(messages))).toBe(expected);
  });

  it("of a body without messages is false", () => {
    expect(isUserTurn(bytesOf('{"model":"m"}'))).toBe(false);
  });
});

describe("withoutBoundParts", () => {
  const messagesAfter = (messages: unknown): unknown => {
    const repaired = withoutBoundParts(bodyOf(messages));
    return repaired === null ? null : (JSON.parse(textOf(repaired.body)) as { messages: unknown }).messages;
  };

  it("leaves thinking out, and keeps everything that was said", () => {
    const messages = [user("Hi"), assistant([thinking, text, redacted]), user([toolResult])];
    expect(messagesAfter(messages)).toEqual([user("Hi"), assistant([text]), user([toolResult])]);
  });

  it("leaves out a message that was nothing but thinking", () => {
    expect(messagesAfter([user("Hi"), assistant([thinking]), user("And?")])).toEqual([
      user("Hi"),
      user("And?"),
    ]);
  });

  it("keeps a message's other fields", () => {
    const message = { ...assistant([thinking, text]), id: "msg_1" };
    expect(messagesAfter([message])).toEqual([{ ...assistant([text]), id: "msg_1" }]);
  });

  it("counts what it left out", () => {
    const body = bodyOf([assistant([thinking, text, redacted]), assistant([thinking])]);
    expect(withoutBoundParts(body)?.removed).toBe("3 thinking blocks");
  });

  it("says null where there is none, so that nothing is tried twice", () => {
    expect(withoutBoundParts(bodyOf([user("thinking"), assistant([text])]))).toBeNull();
    expect(withoutBoundParts(bytesOf('{"model":"m"}'))).toBeNull();
    expect(withoutBoundParts(bodyOf("thinking"))).toBeNull();
  });

  it("leaves every byte around the messages as it was", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.stringMatching(/^[ \t\r\n]*$/), (value, space) => {
        const before = `{${space}"a":${JSON.stringify(value)},${space}"n" : 1e2, "messages":`;
        const behind = `${space},"z":"é\\u00e9"${space}}`;
        const repaired = withoutBoundParts(
          bytesOf(before + JSON.stringify([assistant([thinking, text])]) + behind),
        );
        expect(textOf(repaired?.body)).toBe(before + JSON.stringify([assistant([text])]) + behind);
      }),
    );
  });
});
