/** When a limited account serves again, from the headers of its 429 answer. Pure. */
import type { EpochMs } from "../../domain/ids.ts";

/** Resets further away than this are a mistake: the longest window is a week. */
const RESET_MS_MAX = 8 * 24 * 3_600_000;

export interface Reset {
  /** null: the upstream did not say. */
  readonly until: EpochMs | null;
  /** The limit is one of the model's family, not of the whole account. */
  readonly family: boolean;
}

const bounded = (until: EpochMs, now: EpochMs): EpochMs | null =>
  Number.isFinite(until) && until > now && until - now <= RESET_MS_MAX ? until : null;

/** Epoch seconds (the unified headers) or an RFC 3339 date (the API's per-minute limits). */
export function instant(value: string | null, now: EpochMs): EpochMs | null {
  if (value === null) return null;
  return bounded(/^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) * 1000 : Date.parse(value), now);
}

/** `retry-after`: seconds or an HTTP date (RFC 9110, section 10.2.3). */
function retryAfter(value: string | null, now: EpochMs): EpochMs | null {
  if (value === null) return null;
  const seconds = /^\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : null;
  return bounded(seconds === null ? Date.parse(value) : now + seconds * 1000, now);
}

/** Claims of the unified limit and the header that carries their own reset. */
const CLAIM_RESET = {
  five_hour: "anthropic-ratelimit-unified-5h-reset",
  seven_day: "anthropic-ratelimit-unified-7d-reset",
  seven_day_opus: "anthropic-ratelimit-unified-7d_opus-reset",
  seven_day_sonnet: "anthropic-ratelimit-unified-7d_sonnet-reset",
} as const;

const isClaim = (claim: string | null): claim is keyof typeof CLAIM_RESET =>
  claim !== null && Object.hasOwn(CLAIM_RESET, claim);

/**
 * The claim says whose limit it is: `five_hour` and `seven_day` are the account's, those with a family's name
 * are the family's. The claim's own reset comes first, then the unified one, then `retry-after`, then the
 * API's request and token windows (all exhausted windows must reset, so the latest counts).
 */
export function resetOf(headers: Headers, now: EpochMs): Reset {
  const claim = headers.get("anthropic-ratelimit-unified-representative-claim");
  const own = isClaim(claim) ? instant(headers.get(CLAIM_RESET[claim]), now) : null;
  const until =
    own ??
    instant(headers.get("anthropic-ratelimit-unified-reset"), now) ??
    retryAfter(headers.get("retry-after"), now) ??
    exhaustedWindow(headers, now);
  return { until, family: claim !== null && /_(opus|sonnet|haiku|fable)$/.test(claim) };
}

function exhaustedWindow(headers: Headers, now: EpochMs): EpochMs | null {
  const resets = ["requests", "tokens", "input-tokens", "output-tokens"]
    .filter((limit) => headers.get(`anthropic-ratelimit-${limit}-remaining`) === "0")
    .map((limit) => instant(headers.get(`anthropic-ratelimit-${limit}-reset`), now))
    .filter((reset) => reset !== null);
  return resets.length === 0 ? null : Math.max(...resets);
}
