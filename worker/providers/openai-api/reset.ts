/** When a limited account serves again, from the body, the headers and the text of its 429 answer. Pure. */
import type { EpochMs } from "../../domain/ids.ts";
import type { ErrorBody } from "./error-body.ts";

/** Resets further away than this are a mistake: the longest window is a week. */
const RESET_MS_MAX = 8 * 24 * 3_600_000;

const bounded = (until: EpochMs, now: EpochMs): EpochMs | null =>
  Number.isFinite(until) && until > now && until - now <= RESET_MS_MAX ? Math.ceil(until) : null;

const isNumber = (value: string) => /^\d{1,15}(\.\d{1,6})?$/.test(value.trim());

const after = (value: string | null, unitMs: number, now: EpochMs): EpochMs | null =>
  value === null || !isNumber(value) ? null : bounded(now + Number(value) * unitMs, now);

/** `retry-after`: seconds or an HTTP date (RFC 9110, section 10.2.3). */
function retryAfter(value: string | null, now: EpochMs): EpochMs | null {
  if (value === null) return null;
  return isNumber(value) ? after(value, 1000, now) : bounded(Date.parse(value), now);
}

const UNIT_MS: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 };
const DURATION = /^(?:\d{1,9}(?:\.\d{1,6})?(?:ms|d|h|m|s))+$/;

/** `6m0s`, `1.5s`, `20ms`: how the `x-ratelimit-reset-*` headers and the texts name a time. */
export function durationMs(text: string): number | null {
  if (text.length > 40 || !DURATION.test(text)) return null;
  let sum = 0;
  for (const [, amount, unit = ""] of text.matchAll(/([\d.]+)(ms|d|h|m|s)/g))
    sum += Number(amount) * (UNIT_MS[unit] ?? NaN);
  return sum;
}

/** All exhausted windows must reset, so the latest counts. */
function exhaustedWindow(headers: Headers, now: EpochMs): EpochMs | null {
  const resets = ["requests", "tokens", "project-tokens"]
    .filter((limit) => headers.get(`x-ratelimit-remaining-${limit}`) === "0")
    .map((limit) => durationMs(headers.get(`x-ratelimit-reset-${limit}`) ?? ""))
    .map((ms) => (ms === null ? null : bounded(now + ms, now)))
    .filter((reset) => reset !== null);
  return resets.length === 0 ? null : Math.max(...resets);
}

const TRY_AGAIN =
  /try again in (\d[\d.]{0,15})\s?(ms|s|m|h|d|seconds?|minutes?|hours?|days?)((?:\d[\d.]{0,15}(?:ms|s|m|h))*)/i;

/** "Please try again in 11.054s.", "Try again in 3 days": the only word on it in events, which have no headers. */
export function resetInText(message: string, now: EpochMs): EpochMs | null {
  const [, amount = "", unit = "", rest = ""] = TRY_AGAIN.exec(message) ?? [];
  const short = /^ms$/i.test(unit) ? "ms" : unit.slice(0, 1).toLowerCase();
  const ms = durationMs(`${amount}${short}${rest}`);
  return ms === null ? null : bounded(now + ms, now);
}

/** The body first: it speaks of the limit that was hit, where headers may speak of others. */
export function resetOf(headers: Headers, body: ErrorBody, now: EpochMs): EpochMs | null {
  const { resetsInSeconds, resetsAtSeconds } = body;
  return (
    (resetsInSeconds === null ? null : bounded(now + resetsInSeconds * 1000, now)) ??
    (resetsAtSeconds === null ? null : bounded(resetsAtSeconds * 1000, now)) ??
    after(headers.get("retry-after-ms"), 1, now) ??
    retryAfter(headers.get("retry-after"), now) ??
    exhaustedWindow(headers, now) ??
    resetInText(body.message, now)
  );
}
