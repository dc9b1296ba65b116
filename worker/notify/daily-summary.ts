/** What a day came to, as a message. Pure. */
import type { EpochMs } from "../domain/ids.ts";
import { toDollars } from "../domain/money.ts";
import type { Signal } from "../domain/notice.ts";

interface Sum {
  readonly requests: number;
  readonly tokens: number;
  /** Nano-dollars. */
  readonly cost: number;
  readonly failed: number;
}

export interface Day {
  /** `YYYY-MM-DD` in the deployment's time zone. */
  readonly day: string;
  readonly sum: Sum;
  /** The keys that cost most, the dearest first. */
  readonly dearest: readonly (Sum & { readonly keyName: string | null })[];
}

const dollars = (nano: number): string => `$${toDollars(nano).toFixed(2)}`;
const count = (number: number): string => number.toLocaleString("en-US");

export function dailySummary({ day, sum, dearest }: Day, at: EpochMs): Signal {
  const keys = dearest.map(
    ({ keyName, requests, cost }) =>
      `Key "${keyName ?? "deleted"}": ${dollars(cost)}, ${count(requests)} requests`,
  );
  return {
    notice: {
      kind: "daily_summary",
      severity: "info",
      title: `Summary of ${day}: ${dollars(sum.cost)}, ${count(sum.requests)} requests`,
      lines: [
        `Cost: ${dollars(sum.cost)}`,
        `Requests: ${count(sum.requests)}, of which failed: ${count(sum.failed)}`,
        `Tokens: ${count(sum.tokens)}`,
        ...keys,
      ],
      at,
      subject: null,
    },
    topic: `summary/${day}`,
    ends: [],
  };
}
