import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Answers, type Answer } from "./answers.ts";
import { DirectoryError } from "./directory-error.ts";

const bytesOf = (text: string) => [...new TextEncoder().encode(text)];
function element(tag: number, body: readonly number[]): number[] {
  const { length } = body;
  return length < 128 ? [tag, length, ...body] : [tag, 0x82, length >> 8, length & 255, ...body];
}
const text = (value: string) => element(0x04, bytesOf(value));
const message = (id: number, tag: number, body: readonly number[]) =>
  element(0x30, [...element(0x02, [id]), ...element(tag, body)]);
const result = (id: number, tag: number, status: number) =>
  message(id, tag, [...element(0x0a, [status]), ...text(""), ...text("no such thing")]);
const entry = (
  id: number,
  dn: string,
  attributes: Readonly<Record<string, readonly (readonly number[])[]>>,
) =>
  message(id, 0x64, [
    ...text(dn),
    ...element(
      0x30,
      Object.entries(attributes).flatMap(([name, values]) =>
        element(0x30, [
          ...text(name),
          ...element(
            0x31,
            values.flatMap((value) => element(0x04, value)),
          ),
        ]),
      ),
    ),
  ]);

const [DONE, BOUND] = [0x65, 0x61];
const REFERENCE = 0x73;
const FOUND = [
  ...entry(7, "cn=Ädä,dc=example", { CN: [bytesOf("Ädä"), bytesOf("x".repeat(300))], photo: [[0xff, 0xd8]] }),
  ...message(7, REFERENCE, text("ldap://elsewhere")),
  ...entry(7, "cn=b", {}),
  ...result(7, DONE, 0),
];

function pushed(bytes: readonly number[], size: number, id = 7): Answer | null {
  const answers = new Answers(id);
  let answer: Answer | null = null;
  for (let at = 0; at < bytes.length; at += size)
    answer = answers.push(Uint8Array.from(bytes.slice(at, at + size))) ?? answer;
  return answer;
}

describe("Answers", () => {
  it.each([1, 2, 3, 7, 64, 10_000])("reads a search's answer in slices of %i bytes", (size) => {
    expect(pushed(FOUND, size)).toEqual({
      status: 0,
      entries: [
        {
          dn: "cn=Ädä,dc=example",
          values: new Map([
            ["cn", ["Ädä", "x".repeat(300)]],
            ["photo", []],
          ]),
        },
        { dn: "cn=b", values: new Map() },
      ],
    });
  });

  it("reads a bind's result, and waits for what is not there", () => {
    expect(pushed(result(7, BOUND, 49), 10_000)).toEqual({ status: 49, entries: [] });
    expect(pushed(FOUND.slice(0, -1), 10_000)).toBeNull();
  });

  it("refuses an answer to something else, which is how a directory says that it leaves", () => {
    expect(() => pushed(result(0, 0x78, 52), 10_000)).toThrow("ended the connection");
    expect(() => pushed(result(6, BOUND, 0), 10_000)).toThrow("ended the connection");
  });

  it("refuses more than can be true", () => {
    const answers = new Answers(7);
    answers.push(Uint8Array.from([0x30, 0x84, 0x7f, 0xff, 0xff, 0xff]));
    const megabyte = new Uint8Array(1_000_000);
    answers.push(megabyte);
    expect(() => answers.push(megabyte)).toThrow(DirectoryError);
  });

  it("ends on whatever it is sent, and only with an answer, with waiting or with a DirectoryError", () => {
    const flipped = fc
      .tuple(fc.nat(FOUND.length - 1), fc.integer({ min: 0, max: 255 }))
      .map(([at, byte]) => Uint8Array.from(FOUND.with(at, byte)));
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), flipped), (bytes) => {
        try {
          new Answers(7).push(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(DirectoryError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
