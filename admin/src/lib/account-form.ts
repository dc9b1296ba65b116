/** Reads an account's settings from a form, and fills the form from an account. Pure. */
import type { AccountView } from "$lib/domain";
import { listOf, numberOf, textOf } from "$lib/form-text";

/** The fields that may be sent back to the page when a form is refused: none of them is secret. */
export const SETTING_NAMES = [
  "name",
  "baseUrl",
  "tokenUrl",
  "priority",
  "weight",
  "maxConcurrency",
  "groups",
  "models",
] as const;

const addressOf = (form: FormData, name: string): string | null => {
  const text = textOf(form, name);
  return text === "" ? null : text;
};

/** As entered; the schema of the worker's domain decides what is right. */
export function readSettings(form: FormData) {
  return {
    name: textOf(form, "name"),
    baseUrl: addressOf(form, "baseUrl"),
    tokenUrl: addressOf(form, "tokenUrl"),
    priority: numberOf(form, "priority"),
    weight: numberOf(form, "weight"),
    maxConcurrency: numberOf(form, "maxConcurrency"),
    groups: listOf(form, "groups"),
    models: listOf(form, "models"),
  };
}

export function settingsOf(account: AccountView): Record<string, string> {
  return {
    name: account.name,
    baseUrl: account.baseUrl ?? "",
    tokenUrl: account.tokenUrl ?? "",
    priority: String(account.priority),
    weight: String(account.weight),
    maxConcurrency: String(account.maxConcurrency),
    groups: account.groups.join(", "),
    models: account.models.join("\n"),
  };
}
