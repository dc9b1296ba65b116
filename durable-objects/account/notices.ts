/** What people are told of an account: what begins, and what ends, between two of its states. Pure. */
import type { CooldownReason } from "../../worker/domain/cooldown.ts";
import type { AccountConfig } from "../../worker/domain/account.ts";
import type { EpochMs } from "../../worker/domain/ids.ts";
import { quoted, timeText, type NoticeKind, type Severity, type Signal } from "../../worker/domain/notice.ts";
import type { Strike } from "./cooldowns.ts";
import type { AccountState } from "./state.ts";

type Trouble = Extract<NoticeKind, `account_${string}`>;

interface Telling {
  readonly kind: Exclude<Trouble, "account_recovered">;
  readonly severity: Severity;
  /** After the account's name. */
  readonly what: string;
}

/** What of an account's rests is worth a message; the others end by themselves in minutes. */
const TOLD: Readonly<Record<CooldownReason, Telling | null>> = {
  rate_limited: { kind: "account_rate_limited", severity: "warning", what: "has reached its limit" },
  unauthorized: { kind: "account_unauthorized", severity: "error", what: "was refused by its upstream" },
  forbidden: { kind: "account_unauthorized", severity: "error", what: "was refused by its upstream" },
  payment: { kind: "account_blocked", severity: "critical", what: "must be paid for" },
  proxy: { kind: "account_proxy_failed", severity: "error", what: "cannot use its proxy" },
  overloaded: null,
  unavailable: null,
  server_error: null,
  network: null,
  timeout: null,
  model: null,
  window_warning: null,
};

const REFRESH: Telling = {
  kind: "account_refresh_failed",
  severity: "warning",
  what: "cannot renew its token",
};
const REJECTED: Telling = {
  kind: "account_refresh_failed",
  severity: "critical",
  what: "must be signed in to again",
};
const STOPPED: Telling = {
  kind: "account_blocked",
  severity: "critical",
  what: "was closed by its upstream",
};

const KINDS = [
  ...new Set(
    [...Object.values(TOLD), REFRESH, STOPPED].flatMap((telling) => (telling === null ? [] : [telling.kind])),
  ),
];

const topicOf = ({ id }: AccountConfig, kind: Trouble): string => `account/${id}/${kind}`;

const subjectOf = ({ id, name }: AccountConfig) => ({ kind: "account", id, name }) as const;

function signalOf(
  config: AccountConfig,
  { kind, severity, what }: Telling,
  lines: readonly string[],
  at: EpochMs,
): Signal {
  const title = `Account "${config.name}" ${what}`;
  const about = `Kind of account: ${config.provider}`;
  return {
    notice: { kind, severity, title, lines: [about, ...lines], at, subject: subjectOf(config) },
    topic: topicOf(config, kind),
    ends: [],
  };
}

const said = (message: string): string[] => (message === "" ? [] : [`It was told: ${quoted(message)}`]);

const recovered = (config: AccountConfig, kinds: readonly Trouble[], at: EpochMs): Signal => ({
  notice: {
    kind: "account_recovered",
    severity: "info",
    title: `Account "${config.name}" is in use again`,
    lines: [`Kind of account: ${config.provider}`],
    at,
    subject: subjectOf(config),
  },
  topic: null,
  ends: kinds.map((kind) => topicOf(config, kind)),
});

function restLines({ scope, target, message, until }: Strike): string[] {
  const part = scope === "account" || target === null ? [] : [`Only: ${target}`];
  return [...part, ...said(message), `It rests until ${timeText(until)}.`];
}

/** Rests that began between the two states. */
const begun = (before: AccountState, after: AccountState, now: EpochMs): Strike[] =>
  [...after.strikes]
    .filter(([id, { until }]) => until > now && (before.strikes.get(id)?.until ?? 0) <= now)
    .map(([, entry]) => entry);

/** What is to be told of a change; both states must be of the same account. */
export function noticesOf(before: AccountState, after: AccountState, now: EpochMs): readonly Signal[] {
  if (before.strikes === after.strikes && before.stopped === after.stopped) return [];
  const { config } = after;
  const signals = begun(before, after, now).flatMap((entry) => {
    const telling = TOLD[entry.reason];
    return telling === null ? [] : [signalOf(config, telling, restLines(entry), now)];
  });
  if (after.stopped !== null && before.stopped === null) {
    const lines = [...said(after.stopped), "It is out of use until a person resets it."];
    return [...signals, signalOf(config, STOPPED, lines, now)];
  }
  return signals.length === 0 && isWell(before, after) ? [recovered(config, KINDS, now)] : signals;
}

/** It had failed, and now there is nothing left of it. */
const isWell = (before: AccountState, after: AccountState): boolean =>
  after.stopped === null && after.strikes.size === 0 && (before.strikes.size > 0 || before.stopped !== null);

/** @param isRejected only a new sign-in helps */
export const refreshFailed = (
  config: AccountConfig,
  message: string,
  isRejected: boolean,
  now: EpochMs,
): Signal => signalOf(config, isRejected ? REJECTED : REFRESH, said(message), now);

export const refreshWorks = (config: AccountConfig, now: EpochMs): Signal =>
  recovered(config, [REFRESH.kind], now);
