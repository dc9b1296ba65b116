import { describe, expect, it } from "vitest";
import type { AccountId } from "../domain/ids.ts";
import { routingSchema, type RoutingStep } from "../domain/routing.ts";
import { Story } from "./story.ts";

const account = (number: number) => `acc_${String(number).padStart(8, "0")}` as AccountId;
const [first, second] = [account(1), account(2)];

const told = (...steps: RoutingStep[]): Story => {
  const story = new Story();
  story.ranked([first, second], first);
  for (const step of steps) story.note(step);
  return story;
};

const EVERY_STEP: RoutingStep[] = [
  { kind: "queued", waitedMs: 120 },
  { kind: "refused", account: first, reason: "full", retryAt: null, remembered: false },
  { kind: "moved", account: second },
  { kind: "stayed", account: second, waitedMs: 40 },
  { kind: "leased", account: second, model: "m", waitedMs: 0 },
  { kind: "refreshed", account: second },
  { kind: "repaired", account: second, removed: "2 thinking blocks" },
  { kind: "failed", account: second, reason: "overloaded", message: "The upstream answered HTTP 529." },
  { kind: "leased", account: first, model: "m", waitedMs: 7 },
  { kind: "handed_over", account: first },
];

describe("a story", () => {
  it("tells candidates, home and steps in the order in which they were noted", () => {
    expect(told(...EVERY_STEP).routing).toEqual({
      candidates: [first, second],
      candidatesTotal: 2,
      home: first,
      steps: EVERY_STEP,
    });
  });

  it("can be read back from the ledger", () => {
    const { routing } = told(...EVERY_STEP);
    expect(routingSchema.parse(JSON.parse(JSON.stringify(routing)))).toEqual(routing);
  });

  it("that was never ranked is empty", () => {
    expect(new Story().routing).toEqual({ candidates: [], candidatesTotal: 0, home: null, steps: [] });
  });

  it("is bounded: the first candidates and their number, the first steps, short messages", () => {
    const story = new Story();
    story.ranked(
      Array.from({ length: 500 }, (_, number) => account(number)),
      null,
    );
    for (let number = 0; number < 500; number++) {
      story.note({ kind: "failed", account: account(number), reason: "network", message: "x".repeat(5000) });
    }
    const { candidates, candidatesTotal, steps } = story.routing;
    expect(candidates).toEqual(Array.from({ length: 10 }, (_, number) => account(number)));
    expect(candidatesTotal).toBe(500);
    expect(steps).toHaveLength(30);
    expect(steps.every((step) => step.kind === "failed" && step.message.length === 200)).toBe(true);
  });
});

describe("a story's header", () => {
  it("is one line, and tells every kind of step", () => {
    expect(told(...EVERY_STEP).header).toBe(
      [
        "2 candidates",
        "queued 120ms",
        `${first} refused: full`,
        `${second} moved`,
        `${second} awaited 40ms`,
        `${second} leased`,
        `${second} refreshed`,
        `${second} repaired`,
        `${second} failed: overloaded`,
        `${first} leased after 7ms`,
        `${first} handed_over`,
      ].join("; "),
    );
  });

  it("holds nothing of what an upstream said", () => {
    const message = "Jane Roe\r\nset-cookie: a=b";
    const { header } = told({ kind: "failed", account: first, reason: "payment", message });
    expect(header).toBe(`2 candidates; ${first} failed: payment`);
  });

  it("is closed unless somebody opens it", () => {
    expect(told().isOpen).toBe(false);
  });
});
