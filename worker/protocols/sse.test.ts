import { createParser } from "eventsource-parser";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { INSPECTED_EVENT_BYTES_MAX, SseReader } from "./sse.ts";

const decoder = new TextDecoder();
const bytesOf = (text: string) => new TextEncoder().encode(text);

interface Seen {
  readonly name: string | null;
  readonly data: string;
}

function readAll(bytes: Uint8Array, slice: number): Seen[] {
  const seen: Seen[] = [];
  const reader = new SseReader((event) =>
    seen.push({ name: event.name, data: new TextDecoder().decode(event.data) }),
  );
  for (let at = 0; at < bytes.length; at += slice) reader.push(bytes.subarray(at, at + slice));
  reader.end();
  return seen;
}

/** What a well-known parser makes of the same text. */
function oracle(text: string): Seen[] {
  const seen: Seen[] = [];
  const parser = createParser({
    onEvent: (event) => seen.push({ name: event.event ?? null, data: event.data }),
  });
  parser.feed(text);
  parser.feed("\n\n");
  return seen;
}

const fieldLine = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => `data: ${text.replace(/[\r\n]/g, "")}`),
  fc.string({ maxLength: 20 }).map((text) => `data:${text.replace(/[\r\n]/g, "")}`),
  fc.constantFrom(
    "event: ping",
    "event:message_start",
    ": comment",
    "id: 7",
    "retry: 10",
    "dat: x",
    "data",
    "datax: y",
  ),
);

describe("SseReader", () => {
  it("agrees with eventsource-parser for every slicing and every line ending", () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(fieldLine, { minLength: 1, maxLength: 4 }), { maxLength: 8 }),
        fc.constantFrom("\n", "\r\n", "\r"),
        (events, lineEnd) => {
          const text = events.map((lines) => lines.join(lineEnd) + lineEnd + lineEnd).join("");
          const expected = oracle(text);
          for (const slice of [1, 2, 3, 5, 7, 64, 10_000])
            expect(readAll(bytesOf(text), slice)).toEqual(expected);
        },
      ),
      { numRuns: 300 },
    );
  });

  it("skips a byte order mark, however it is cut", () => {
    for (const slice of [1, 2, 3, 64]) {
      expect(readAll(bytesOf("\ufeffdata: x\n\n"), slice)).toEqual([{ name: null, data: "x" }]);
    }
  });

  it("dispatches a last event without its blank line", () => {
    expect(readAll(bytesOf("event: a\ndata: x"), 3)).toEqual([{ name: "a", data: "x" }]);
  });

  it("passes over an event that is too large to inspect and reads the next one", () => {
    const text = `data: ${"y".repeat(INSPECTED_EVENT_BYTES_MAX + 10)}\n\nevent: b\ndata: z\n\n`;
    for (const slice of [1024, 65_536, text.length]) {
      expect(readAll(bytesOf(text), slice)).toEqual([{ name: "b", data: "z" }]);
    }
  });

  it("tells the ends of an event that is too large, however it is sliced", () => {
    const middle = "y".repeat(2 * INSPECTED_EVENT_BYTES_MAX);
    const text = `event: a\ndata: {"first":1,"${middle}","last":2}\n\ndata: z\n\n`;
    for (const slice of [10_000, 65_536, text.length]) {
      const ends: string[] = [];
      const onOversized = ({ head, tail }: { head: Uint8Array; tail: Uint8Array }) => {
        ends.push(decoder.decode(head), decoder.decode(tail));
      };
      const reader = new SseReader(() => undefined, { onOversized });
      const bytes = bytesOf(text);
      for (let at = 0; at < bytes.length; at += slice) reader.push(bytes.subarray(at, at + slice));
      expect(ends).toHaveLength(2);
      expect(ends[0]).toMatch(/^\{"first":1,"y/);
      expect(ends[1]).toMatch(/y","last":2\}$/);
    }
  });

  it("knows whether it stands between two events", () => {
    const reader = new SseReader(() => undefined);
    const states = ["", "da", "ta: x", "\n", "\n", ": c\n", "\n"].map((text) => {
      reader.push(bytesOf(text));
      return reader.atBoundary;
    });
    expect(states).toEqual([true, false, false, false, true, false, true]);
  });
});
