/** Reads an account's settings from a form, and fills the form from an account. Pure. */
import type { AccountInput } from "./domain";
import { CHECKED, echoOf, isChecked, isShown, linesOf, listOf, numberOf, textOf } from "./form-text";
import { proxyValues, PROXY_NAMES, PROXY_SECRETS, readProxy, type ProxyShown } from "./proxy-form";
import { modelMapText } from "./model-map";
import { REST_REASONS } from "./rests";

/** The form shows all of an account but its credential and its switch, which have forms of their own. */
export type AccountOptions = Readonly<
  Omit<
    AccountInput,
    "credential" | "provider" | "enabled" | "proxy" | "schedulable" | "expiresAt" | "proxyId"
  > & { proxy: ProxyShown | null }
>;

const FIGURES = [
  "priority",
  "weight",
  "maxConcurrency",
  "queueLength",
  "queueMultiple",
] as const satisfies readonly (keyof AccountOptions)[];

const ADDRESSES = ["baseUrl", "tokenUrl"] as const satisfies readonly (keyof AccountOptions)[];

/** The form name of a reason's length. */
export const restName = (reason: string) => `cooldownSeconds.${reason}` as const;

const RESTS = REST_REASONS.map(restName);

/** The fields that may be sent back to the page when a form is refused: none of them is secret. */
export const ACCOUNT_NAMES = [
  "name",
  "groups",
  "models",
  "modelMap",
  "queueTimeoutSeconds",
  "userTurns",
  "userTurnDelayMs",
  "userTurnTimeoutSeconds",
  "stopOnWarning",
  ...FIGURES,
  ...ADDRESSES,
  ...PROXY_NAMES,
  ...RESTS,
] as const;

/** Every field of the form. */
export const FORM_NAMES = [...ACCOUNT_NAMES, ...PROXY_SECRETS] as const;
export type AccountName = (typeof FORM_NAMES)[number];

const SECOND_MS = 1000;
/** Suggested to whoever switches user turns on. */
const USER_TURNS = { delayMs: 200, timeoutMs: 60_000 } as const;

function each<Name extends string, Value>(
  names: readonly Name[],
  read: (name: Name) => Value,
): Record<string, Value> {
  return Object.fromEntries(names.map((name) => [name, read(name)]));
}

/** Waits are entered in seconds. */
function milliseconds(form: FormData, name: AccountName): number | undefined {
  const seconds = numberOf(form, name);
  return seconds === undefined ? undefined : Math.round(seconds * SECOND_MS);
}

function readUserTurns(form: FormData) {
  if (!isChecked(form, "userTurns")) return null;
  return {
    delayMs: numberOf(form, "userTurnDelayMs"),
    timeoutMs: milliseconds(form, "userTurnTimeoutSeconds"),
  };
}

/** A reason without a length of its own is left out, as the schema wants it. */
function readRests(form: FormData): Record<string, number> {
  const rests = REST_REASONS.map((reason) => [reason, numberOf(form, restName(reason))] as const);
  return Object.fromEntries(
    rests.flatMap(([reason, seconds]) => (seconds === undefined ? [] : [[reason, seconds] as const])),
  );
}

/**
 * As entered; the schema of the form decides what is right. What the form does not have is undefined and stays as
 * it is: the token's address is shown for some providers only, and a page may be older than a setting.
 */
export function readAccount(form: FormData) {
  const ifShown = <Value>(name: AccountName, read: (form: FormData, name: AccountName) => Value) =>
    isShown(form, name) ? read(form, name) : undefined;
  return {
    name: ifShown("name", textOf),
    groups: ifShown("groups", listOf),
    models: ifShown("models", listOf),
    modelMap: linesOf(form, "modelMap"),
    queueTimeoutMs: ifShown("queueTimeoutSeconds", (...field) => milliseconds(...field) ?? null),
    userTurns: ifShown("userTurns", readUserTurns),
    proxy: ifShown("proxyType", readProxy),
    stopOnWarning: ifShown("stopOnWarning", isChecked),
    cooldownSeconds: RESTS.some((name) => isShown(form, name)) ? readRests(form) : undefined,
    ...each(FIGURES, (name) => numberOf(form, name)),
    ...each(ADDRESSES, (name) => ifShown(name, (...field) => textOf(...field) || null)),
  };
}

/** What was entered, to fill the form again; what it did not have is filled from the account. */
export const echoAccount = (form: FormData): Record<string, string> =>
  echoOf(
    form,
    ACCOUNT_NAMES.filter((name) => isShown(form, name)),
  );

/** The field of the form that a problem of the schema belongs to. */
export function formNameOf(path: string): string {
  const [field = "", part = ""] = path.split(".");
  switch (field) {
    case "queueTimeoutMs":
      return "queueTimeoutSeconds";
    case "userTurns":
      return part === "delayMs" ? "userTurnDelayMs" : "userTurnTimeoutSeconds";
    case "proxy":
      return part === "" ? "proxyUrl" : `proxy${part.charAt(0).toUpperCase()}${part.slice(1)}`;
    case "cooldownSeconds":
      return restName(part);
    default:
      return field;
  }
}

export function valuesOf(account: AccountOptions): Record<string, string> {
  const { queueTimeoutMs, userTurns } = account;
  const { delayMs, timeoutMs } = userTurns ?? USER_TURNS;
  return {
    name: account.name,
    groups: account.groups.join(", "),
    models: account.models.join("\n"),
    modelMap: modelMapText(account.modelMap),
    queueTimeoutSeconds: queueTimeoutMs === null ? "" : String(queueTimeoutMs / SECOND_MS),
    userTurns: userTurns === null ? "" : CHECKED,
    userTurnDelayMs: String(delayMs),
    userTurnTimeoutSeconds: String(timeoutMs / SECOND_MS),
    stopOnWarning: account.stopOnWarning ? CHECKED : "",
    ...each(FIGURES, (name) => String(account[name])),
    ...each(ADDRESSES, (name) => account[name] ?? ""),
    ...proxyValues(account.proxy),
    ...each(RESTS, () => ""),
    ...Object.fromEntries(
      Object.entries(account.cooldownSeconds).map(([reason, seconds]) => [restName(reason), String(seconds)]),
    ),
  };
}
