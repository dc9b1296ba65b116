import { describe, expect, it } from "vitest";
import type { RequestId } from "../../worker/domain/ids.ts";
import { endTurn, FREE_TURN, takeTurn, turnFreeAt } from "./user-turns.ts";

const NOW = 1_900_000_000_000;
const RULES = { delayMs: 500, timeoutMs: 30_000 };
const first = "req_00000001" as RequestId;
const second = "req_00000002" as RequestId;

describe("a turn", () => {
  it("that nobody took is free", () => {
    expect(turnFreeAt(FREE_TURN, RULES)).toBeLessThanOrEqual(NOW);
  });

  it("is free again after the pause that follows its end", () => {
    const ended = endTurn(takeTurn(first, NOW + RULES.timeoutMs), first, NOW + 2000);
    expect(turnFreeAt(ended, RULES)).toBe(NOW + 2500);
  });

  it("that is never ended is free when its time is over, without a pause", () => {
    expect(turnFreeAt(takeTurn(first, NOW + RULES.timeoutMs), RULES)).toBe(NOW + 30_000);
  });

  it("is ended by its holder only", () => {
    const held = takeTurn(first, NOW + RULES.timeoutMs);
    expect(endTurn(held, second, NOW + 1)).toBe(held);
    expect(endTurn(FREE_TURN, second, NOW + 1)).toBe(FREE_TURN);
  });

  it("that has ended is not ended later by being ended twice", () => {
    const ended = endTurn(takeTurn(first, NOW + RULES.timeoutMs), first, NOW + 10);
    expect(endTurn(ended, first, NOW + 1000)).toBe(ended);
  });

  it("means nothing where an account has no rules for it", () => {
    expect(turnFreeAt(takeTurn(first, NOW + RULES.timeoutMs), null)).toBe(0);
  });
});
