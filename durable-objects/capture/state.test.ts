import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Capture } from "../../worker/domain/capture.ts";
import type { KeyId } from "../../worker/domain/ids.ts";
import * as machine from "./state.ts";

const NOW = 1_800_000_000_000;
const capture: Capture = {
  keyId: "key_00000001" as KeyId,
  startedAt: NOW,
  until: NOW + 1000,
  eraseAt: NOW + 5000,
  count: 2,
  bytes: 10,
};
const state = machine.started(capture);

describe("takes", () => {
  it("until its time, as many as its count, and only what is meant for it", () => {
    expect(machine.takes(state, capture.until, NOW + 999)).toBe(true);
    expect(machine.takes(state, capture.until, NOW + 1000)).toBe(false);
    expect(machine.takes(state, capture.until + 1, NOW)).toBe(false);
    expect(machine.takes(null, capture.until, NOW)).toBe(false);
    const one = machine.withOneMore(state);
    expect(machine.takes(one, capture.until, NOW)).toBe(true);
    expect(machine.takes(machine.withOneMore(one), capture.until, NOW)).toBe(false);
  });
});

describe("isOver", () => {
  it("as soon as it has ended with nothing in it, else when it is to be erased", () => {
    const one = machine.withOneMore(state);
    expect([999, 1000].map((ms) => machine.isOver(state, NOW + ms))).toEqual([false, true]);
    expect([1000, 4999, 5000].map((ms) => machine.isOver(one, NOW + ms))).toEqual([false, false, true]);
  });

  it("is looked at in time, and never again in the past", () => {
    expect(machine.nextWakeAt(state, NOW)).toBe(NOW + 1000);
    expect(machine.nextWakeAt(state, NOW + 1000)).toBe(NOW + 5000);
  });
});

const beginningOf = (text: string) => {
  const beginning = new TextEncoder().encode(text);
  return { beginning, bytes: beginning.length };
};

describe("cutText", () => {
  it("keeps what fits, whole", () => {
    expect(machine.cutText(beginningOf("0123456789"), 10)).toEqual({ text: "0123456789", cut: false });
    expect(machine.cutText(beginningOf(""), 10)).toEqual({ text: "", cut: false });
  });

  it("marks what is longer, here or where it came from", () => {
    expect(machine.cutText(beginningOf("0123456789x"), 10)).toEqual({ text: "0123456789", cut: true });
    expect(machine.cutText({ ...beginningOf("012"), bytes: 4 }, 10)).toEqual({ text: "012", cut: true });
  });

  it("leaves out a character that the cut goes through", () => {
    expect(machine.cutText(beginningOf("01234567é9"), 9)).toEqual({ text: "01234567", cut: true });
  });

  it("never takes more room than it may, text or not", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 1, max: 100 }), (bytes, max) => {
        const { text } = machine.cutText({ beginning: bytes, bytes: bytes.length }, max);
        expect(new TextEncoder().encode(text).length).toBeLessThanOrEqual(max);
      }),
    );
  });
});
