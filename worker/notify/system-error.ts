/** What an operator is told of the relay's own failures. Pure. */
import type { EpochMs } from "../domain/ids.ts";
import type { Signal } from "../domain/notice.ts";

/** Told once an hour for each part of the relay, whatever the number of failures. */
export const systemError = (part: string, lines: readonly string[], at: EpochMs): Signal => ({
  notice: {
    kind: "system_error",
    severity: "error",
    title: `The relay failed: ${part}`,
    lines: [...lines, "The relay's log says more. Further failures of this kind are told in an hour."],
    at,
    subject: null,
  },
  topic: `system/${part}`,
  ends: [],
});
