/** Reads a key from a form, and fills the form from a key. Pure. */
import type { KeyView } from "$lib/domain";
import { numberOf, textOf } from "$lib/form-text";
import { fromLocalInput, toLocalInput } from "$lib/time-zone";

export const KEY_NAMES = [
  "name",
  "concurrency",
  "queueLength",
  "lifetime",
  "expiresAt",
  "activationAmount",
  "activationUnit",
  "binding",
  "accountId",
  "group",
] as const;

/** When a key ends: the choices of the form. */
export const LIFETIMES = [
  { id: "endless", label: "Never" },
  { id: "until", label: "At a fixed time" },
  { id: "activation", label: "Some time after its first use" },
] as const;

/** Where a key's requests may go: the choices of the form. */
export const BINDINGS = [
  { id: "shared", label: "Shared accounts" },
  { id: "group", label: "The accounts of a group" },
  { id: "account", label: "One account" },
] as const;

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

/** As entered; the schema of the worker's domain decides what is right. */
export function readKey(form: FormData, timeZone: string) {
  const lifetime = textOf(form, "lifetime");
  return {
    name: textOf(form, "name"),
    concurrency: numberOf(form, "concurrency"),
    queueLength: numberOf(form, "queueLength"),
    // NaN fails the schema: a fixed end was chosen, but none was entered.
    expiresAt: lifetime === "until" ? (fromLocalInput(textOf(form, "expiresAt"), timeZone) ?? NaN) : null,
    activation:
      lifetime === "activation"
        ? { amount: numberOf(form, "activationAmount"), unit: textOf(form, "activationUnit") }
        : null,
    binding: readBinding(form),
  };
}

/** The field of the form that a problem of the schema belongs to. */
export function formNameOf(path: string, form: FormData): string {
  if (path === "activation") return "activationAmount";
  if (path === "binding") return textOf(form, "binding") === "account" ? "accountId" : "group";
  return path;
}

export function valuesOf(key: KeyView, timeZone: string): Record<string, string> {
  const { activation, binding, expiresAt } = key;
  return {
    name: key.name,
    concurrency: String(key.concurrency),
    queueLength: String(key.queueLength),
    lifetime: activation !== null ? "activation" : expiresAt !== null ? "until" : "endless",
    expiresAt: expiresAt === null ? "" : toLocalInput(expiresAt, timeZone),
    activationAmount: activation === null ? "" : String(activation.amount),
    activationUnit: activation?.unit ?? "days",
    binding: binding?.kind ?? "shared",
    accountId: binding?.kind === "account" ? binding.accountId : "",
    group: binding?.kind === "group" ? binding.group : "",
  };
}
