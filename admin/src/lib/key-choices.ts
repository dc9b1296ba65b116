/** What a key's form offers to choose from. Pure. */
import type { ClientId, Service } from "./domain";

/** One option of a choice: what the form sends, and what people read. */
export interface Choice {
  readonly id: string;
  readonly label: string;
}

/** When a key ends. */
export const LIFETIMES = [
  { id: "endless", label: "Never" },
  { id: "until", label: "At a fixed time" },
  { id: "activation", label: "Some time after its first use" },
] as const satisfies readonly Choice[];

/** Where a key's requests may go. */
export const BINDINGS = [
  { id: "shared", label: "Shared accounts" },
  { id: "group", label: "The accounts of a group" },
  { id: "account", label: "One account" },
] as const satisfies readonly Choice[];

export const WEEKDAYS: readonly Choice[] = [
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
  "Sunday",
].map((label, index) => ({ id: String(index + 1), label }));

const SERVICE_LABELS = {
  claude: "Claude",
  gemini: "Gemini",
  openai: "OpenAI",
  droid: "Droid",
} as const satisfies Record<Service, string>;

const CLIENT_LABELS = {
  "claude-code": "Claude Code",
  "codex-cli": "Codex CLI",
  "gemini-cli": "Gemini CLI",
  droid: "Droid",
} as const satisfies Record<ClientId, string>;

const choicesOf = (labels: Readonly<Record<string, string>>): readonly Choice[] =>
  Object.entries(labels).map(([id, label]) => ({ id, label }));

export const SERVICES = choicesOf(SERVICE_LABELS);
export const CLIENTS = choicesOf(CLIENT_LABELS);
