import { describe, expect, it } from "vitest";
import { topLevelFields } from "../json-fields.ts";
import { stablePrefix } from "./stable-prefix.ts";

const CACHED = { cache_control: { type: "ephemeral" } };
const text = (content: string, more: object = {}) => ({ type: "text", text: content, ...more });
const user = (content: unknown) => ({ role: "user", content });

/** The texts that make up the prefix of a call. */
function prefixOf(call: Record<string, unknown>): string[] {
  const body = new TextEncoder().encode(JSON.stringify({ model: "m", ...call }));
  return stablePrefix(body, topLevelFields(body)).map(({ start, end }) =>
    new TextDecoder().decode(body.subarray(start, end)),
  );
}

describe("stablePrefix", () => {
  it("is the same for every turn of a conversation", () => {
    const turn = (messages: unknown[]) => prefixOf({ system: "Be kind.", tools: [{ name: "t" }], messages });
    const first = turn([user("Hello")]);
    expect(turn([user("Hello"), { role: "assistant", content: "Hi" }, user("And now?")])).toEqual(first);
    expect(turn([user("Something else")])).not.toEqual(first);
  });

  it("leaves out the messages where only the instructions are marked for the cache", () => {
    const system = [text("Long instructions", CACHED)];
    const one = prefixOf({ system, messages: [user("One")] });
    expect(prefixOf({ system, messages: [user("Two")] })).toEqual(one);
    const marked = (content: string) => prefixOf({ system, messages: [user([text(content, CACHED)])] });
    expect(marked("One")).not.toEqual(marked("Two"));
  });

  it("ends with the last marked block, since what follows may change at every turn", () => {
    const call = (date: string) =>
      prefixOf({ system: [text("Rules", CACHED), text(`Today is ${date}`)], messages: [user("Hi")] });
    expect(call("Monday")).toEqual(call("Tuesday"));
  });

  it("ignores the block in which Claude Code names its version", () => {
    const call = (version: string) =>
      prefixOf({
        system: [text(`x-anthropic-billing-header: cc_version=${version};`), text("Rules")],
        messages: [user("Hi")],
      });
    expect(call("2.1.329.136")).toEqual(call("2.1.329.f46"));
  });

  it("is empty for a call without instructions, unless its messages are cached", () => {
    expect(prefixOf({ messages: [user("Hi")] })).toEqual([]);
    expect(prefixOf({ messages: [user([text("Long document", CACHED)])] })).toHaveLength(1);
  });
});
