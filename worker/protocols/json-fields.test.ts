import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAt, readFieldsOf, spliceJson, topLevelFields } from "./json-fields.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

function readBack(text: string): Record<string, unknown> {
  const bytes = bytesOf(text);
  return Object.fromEntries([...topLevelFields(bytes)].map(([name, range]) => [name, parseAt(bytes, range)]));
}

describe("topLevelFields", () => {
  it("finds what JSON.parse finds, for any object and any white space", () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.string({ unit: "binary", maxLength: 40 }), fc.jsonValue()),
        fc.constantFrom(undefined, 1, "\t"),
        (object, space) => {
          const text = JSON.stringify(object, null, space);
          const parsed = JSON.parse(text) as Record<string, unknown>;
          expect(readBack(text)).toEqual(Object.fromEntries(Object.entries(parsed)));
        },
      ),
    );
  });

  it("finds a field whose name is written with escapes", () => {
    expect(readBack('{"mod\\u0065l":"x"}')).toEqual({ model: "x" });
  });

  it("is not fooled by quotes, brackets and backslashes inside strings", () => {
    const object = { a: 'x"}],{\\"', b: ["\\\\", { c: '\\"'.repeat(40) }], model: "m" };
    expect(readBack(JSON.stringify(object))).toEqual(object);
  });

  it("accepts a byte order mark", () => {
    expect(readBack('\ufeff{"a":1}')).toEqual({ a: 1 });
  });

  it("refuses a field that is given twice, since an upstream might read the other one", () => {
    expect(() => topLevelFields(bytesOf('{"model":"a","model":"b"}'))).toThrow(/"model" is given twice/);
    expect(() => topLevelFields(bytesOf('{"model":"a","mod\\u0065l":"b"}'))).toThrow(/given twice/);
  });

  it.each([
    "",
    "   ",
    "[]",
    "null",
    '"text"',
    "{",
    '{"a"',
    '{"a":',
    '{"a":}',
    '{"a":1,}',
    '{"a":1',
    '{"a":tru}',
    '{"a":"x}',
    '{"a":[1,{"b":2}',
    '{"a":1}{}',
    "{a:1}",
    '{"a" 1}',
    '{"a":1 "b":2}',
    "\u0000",
  ])("refuses %j as broken JSON", (text) => {
    expect(() => topLevelFields(bytesOf(text))).toThrow(/JSON/);
  });

  it("survives a hundred thousand nested arrays", () => {
    const text = `{"a":${"[".repeat(100_000)}${"]".repeat(100_000)},"b":1}`;
    expect([...topLevelFields(bytesOf(text)).keys()]).toEqual(["a", "b"]);
  });

  it("does not pollute a prototype through a field name", () => {
    const fields = topLevelFields(bytesOf('{"__proto__":{"x":1},"constructor":2}'));
    expect([...fields.keys()]).toEqual(["__proto__", "constructor"]);
  });
});

describe("readFieldsOf", () => {
  const usage = { input: 1, output: [2, "é"] };
  const padding = "x".repeat(300 * 1024);

  it.each([
    ["small", {}],
    ["large", { padding }],
  ])("reads what is asked for of a %s answer", (_, more) => {
    const read = readFieldsOf(bytesOf(JSON.stringify({ model: "m", usage, ...more })), ["usage", "absent"]);
    expect(read?.usage).toEqual(usage);
    expect(read?.absent).toBeUndefined();
  });

  it.each([
    ["small", ""],
    ["large", padding],
  ])("is null where a %s one is no object", (_, more) => {
    for (const text of [`["${more}"]`, `"${more}"`, `{"a":"${more}"`, `{"a":"${more}"}}`]) {
      expect(readFieldsOf(bytesOf(text), ["a"])).toBeNull();
    }
  });
});

describe("spliceJson", () => {
  it("replaces one value and leaves every other byte", () => {
    const bytes = bytesOf('{ "a" : 1.50, "model":"old" , "t":"é😀" }');
    const range = topLevelFields(bytes).get("model");
    expect(range && textOf(spliceJson(bytes, range, 'n"ew'))).toBe(
      '{ "a" : 1.50, "model":"n\\"ew" , "t":"é😀" }',
    );
  });
});
