/** Which quota of Google's is used up, and when there is more. Pure. */
import { dayAt } from "../../domain/calendar.ts";
import type { CooldownScope } from "../../domain/cooldown.ts";
import type { EpochMs } from "../../domain/ids.ts";
import type { GoogleError } from "./error-body.ts";

/** Resets further away than this are a mistake: the longest quota is a week's. */
const RESET_MS_MAX = 8 * 24 * 3_600_000;
/** Daily quotas begin anew at midnight there (ai.google.dev/gemini-api/docs/rate-limits). */
const QUOTA_ZONE = "America/Los_Angeles";
const UNIT_MS: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1000, ms: 1 };

const bounded = (until: EpochMs, now: EpochMs): EpochMs | null =>
  Number.isFinite(until) && until > now && until - now <= RESET_MS_MAX ? Math.ceil(until) : null;

/** `12.3s` (protobuf's JSON) and `2h15m30.5s` (Code Assist) in ms; NaN for anything else. */
export function durationMs(text: string): number {
  if (!/^(\d+(\.\d+)?(h|ms|m|s))+$/.test(text)) return NaN;
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(h|ms|m|s)/g)];
  return parts.reduce((sum, [, amount, unit = ""]) => sum + Number(amount) * (UNIT_MS[unit] ?? NaN), 0);
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");

/** `retry-after`: seconds or an HTTP date (RFC 9110, section 10.2.3). */
export function retryAfter(headers: Headers, now: EpochMs): EpochMs | null {
  const value = headers.get("retry-after")?.trim() ?? "";
  return bounded(/^\d+(\.\d+)?$/.test(value) ? now + Number(value) * 1000 : Date.parse(value), now);
}

/** For a day's quota Google still proposes to try again in seconds, so the name of the quota comes first. */
export function quotaReset(error: GoogleError, headers: Headers, now: EpochMs): EpochMs | null {
  if (error.violations.some(({ quotaId }) => /PerDay/i.test(quotaId))) return dayAt(now, QUOTA_ZONE).end;
  return (
    bounded(Date.parse(textOf(error.metadata["quotaResetTimeStamp"])), now) ??
    bounded(now + durationMs(textOf(error.metadata["quotaResetDelay"])), now) ??
    bounded(now + durationMs(error.retryDelay ?? ""), now) ??
    retryAfter(headers, now)
  );
}

/** Most quotas are counted for each model; a violation of one of the others rests the whole account. */
export function quotaScope({ violations, metadata }: GoogleError): CooldownScope {
  if (violations.length === 0) return textOf(metadata["model"]) === "" ? "account" : "model";
  const isModels = violations.every(({ quotaId, model }) => model !== null || /PerModel/i.test(quotaId));
  return isModels ? "model" : "account";
}
