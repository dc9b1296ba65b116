import { describe, expect, it } from "vitest";
import { BACK_OFF } from "../../../durable-objects/account/cooldowns.ts";
import { PROTECTED_REASONS } from "../../../worker/domain/cooldown.ts";
import { REST_REASONS, restAfter } from "./rests";

const minutes = (ms: number) =>
  ms < 3_600_000 ? `${String(ms / 60_000)} min` : `${String(ms / 3_600_000)} h`;

function noteOf({ firstMs, maxMs, strikes, windowMs }: (typeof BACK_OFF)[keyof typeof BACK_OFF]) {
  const notes = [
    ...(strikes > 1 ? [`after ${String(strikes)} in ${minutes(windowMs)}`] : []),
    ...(maxMs > firstMs ? [`doubles to ${minutes(maxMs)}`] : []),
  ];
  return notes.length === 0 ? null : notes.join("; ");
}

describe("restAfter", () => {
  it("knows every reason whose length can be chosen", () => {
    expect(REST_REASONS).toEqual(PROTECTED_REASONS);
  });

  it.each(REST_REASONS)("tells how long an account rests after %s", (reason) => {
    const backOff = BACK_OFF[reason];
    expect(restAfter(reason)).toEqual({ seconds: backOff.firstMs / 1000, note: noteOf(backOff) });
  });
});
