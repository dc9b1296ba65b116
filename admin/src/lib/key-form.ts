/** Reads a key from a form, and fills the form from a key. Pure. */
import type { KeyInput } from "./domain";
import { CHECKED, isChecked, linesOf, numberOf, textOf } from "./form-text";
import { SERVICES } from "./key-choices";
import { modelMapText } from "./model-map";
import { fromLocalInput, toLocalInput } from "./time-zone";

/** The form shows all of a key but its switch, which has a button of its own, and whose key it is. */
export type KeyOptions = Readonly<Omit<KeyInput, "enabled" | "ownerId">>;

/** Figures of which 0 means none: the form shows an empty field instead. */
const FIGURES = [
  "concurrency",
  "queueLength",
  "queueMultiple",
  "windowMinutes",
  "windowRequests",
  "windowTokens",
  "windowCost",
  "dailyCost",
  "weeklyCost",
  "weeklyPremiumCost",
  "totalCost",
] as const satisfies readonly (keyof KeyOptions)[];

const LISTS = [
  "tags",
  "permissions",
  "clients",
  "userAgents",
  "allowedModels",
  "blockedModels",
  "premiumModels",
] as const satisfies readonly (keyof KeyOptions)[];

const SWITCHES = [
  "bindingFallback",
  "hardBudget",
  "explain",
] as const satisfies readonly (keyof KeyOptions)[];

/** The form name of a service's cost factor. */
export const rateName = (service: string) => `rates.${service}` as const;

const RATES = SERVICES.map(({ id }) => rateName(id));

/** The fields that may be sent back to the page when a form is refused: none of them is secret. */
export const KEY_NAMES = [
  "name",
  "description",
  "lifetime",
  "expiresAt",
  "activationAmount",
  "activationUnit",
  "binding",
  "accountId",
  "group",
  "queueTimeoutSeconds",
  "weekStartDay",
  "weekStartHour",
  "modelMap",
  ...FIGURES,
  ...LISTS,
  ...SWITCHES,
  ...RATES,
] as const;
export type KeyName = (typeof KEY_NAMES)[number];

const SECOND_MS = 1000;
/** Suggested to whoever chooses a lifetime that begins with the first use. */
const ACTIVATION = { amount: 30, unit: "days" } as const;

function each<Name extends string, Value>(
  names: readonly Name[],
  read: (name: Name) => Value,
): Record<string, Value> {
  return Object.fromEntries(names.map((name) => [name, read(name)]));
}

function readBinding(form: FormData) {
  switch (textOf(form, "binding")) {
    case "account":
      return { kind: "account", accountId: textOf(form, "accountId") };
    case "group":
      return { kind: "group", group: textOf(form, "group") };
    default:
      return null;
  }
}

/** The wait is entered in seconds; none is what the deployment says. */
function readQueueTimeout(form: FormData): number | null {
  const seconds = numberOf(form, "queueTimeoutSeconds");
  return seconds === undefined ? null : Math.round(seconds * SECOND_MS);
}

/** A service without a factor is left out, as the schema wants it. */
function readRates(form: FormData): Record<string, number> {
  const rates = SERVICES.map(({ id }) => [id, numberOf(form, rateName(id))] as const);
  return Object.fromEntries(rates.flatMap(([id, rate]) => (rate === undefined ? [] : [[id, rate] as const])));
}

/** As entered; the schema of the worker's domain decides what is right. */
export function readKey(form: FormData, timeZone: string) {
  const lifetime = textOf(form, "lifetime");
  return {
    name: textOf(form, "name"),
    description: textOf(form, "description"),
    // NaN fails the schema: a fixed end was chosen, but none was entered.
    expiresAt: lifetime === "until" ? (fromLocalInput(textOf(form, "expiresAt"), timeZone) ?? NaN) : null,
    activation:
      lifetime === "activation"
        ? { amount: numberOf(form, "activationAmount"), unit: textOf(form, "activationUnit") }
        : null,
    binding: readBinding(form),
    queueTimeoutMs: readQueueTimeout(form),
    weekStartDay: numberOf(form, "weekStartDay"),
    weekStartHour: numberOf(form, "weekStartHour"),
    rates: readRates(form),
    modelMap: linesOf(form, "modelMap"),
    ...each(FIGURES, (name) => numberOf(form, name)),
    ...each(LISTS, (name) => linesOf(form, name)),
    ...each(SWITCHES, (name) => isChecked(form, name)),
  };
}

/** The field of the form that a problem of the schema belongs to. */
export function formNameOf(path: string, form: FormData): string {
  const [field = "", part = ""] = path.split(".");
  switch (field) {
    case "activation":
      return "activationAmount";
    case "binding":
      return textOf(form, "binding") === "account" ? "accountId" : "group";
    case "queueTimeoutMs":
      return "queueTimeoutSeconds";
    case "rates":
      return rateName(part);
    default:
      return field;
  }
}

const figureText = (figure: number): string => (figure === 0 ? "" : String(figure));

export function valuesOf(key: KeyOptions, timeZone: string): Record<string, string> {
  const { binding, expiresAt, queueTimeoutMs } = key;
  const { amount, unit } = key.activation ?? ACTIVATION;
  return {
    name: key.name,
    description: key.description,
    lifetime: key.activation !== null ? "activation" : expiresAt !== null ? "until" : "endless",
    expiresAt: expiresAt === null ? "" : toLocalInput(expiresAt, timeZone),
    activationAmount: String(amount),
    activationUnit: unit,
    binding: binding?.kind ?? "shared",
    accountId: binding?.kind === "account" ? binding.accountId : "",
    group: binding?.kind === "group" ? binding.group : "",
    queueTimeoutSeconds: queueTimeoutMs === null ? "" : String(queueTimeoutMs / SECOND_MS),
    weekStartDay: String(key.weekStartDay),
    weekStartHour: String(key.weekStartHour),
    modelMap: modelMapText(key.modelMap),
    ...each(FIGURES, (name) => figureText(key[name])),
    ...each(LISTS, (name) => key[name].join("\n")),
    ...each(SWITCHES, (name) => (key[name] ? CHECKED : "")),
    ...each(RATES, () => ""),
    ...Object.fromEntries(Object.entries(key.rates).map(([id, rate]) => [rateName(id), String(rate)])),
  };
}
