/** A key's options by the names that claude-relay-service gives them, and back. Pure. */
import { z } from "zod";
import { type CLIENTS } from "../../domain/client-identity.ts";
import type { KeyView } from "../../domain/key.ts";
import { SERVICES } from "../../domain/service.ts";
import { toDollars } from "../../domain/money.ts";
import { given, isoTime } from "./alias.ts";

const GROUP = "group:";
/** Some bindings name the kind of their account, too. */
const KINDS = /^(?:console|api|responses):/;

/** An option named for each kind of account; at most one binding is kept here, whatever its kind. */
const BINDINGS = [
  "claudeAccountId",
  "claudeConsoleAccountId",
  "geminiAccountId",
  "openaiAccountId",
  "azureOpenaiAccountId",
  "bedrockAccountId",
  "droidAccountId",
] as const;

const CLIENT_OF: Readonly<Record<string, (typeof CLIENTS)[number]>> = {
  claude_code: "claude-code",
  codex_cli: "codex-cli",
  gemini_cli: "gemini-cli",
  droid_cli: "droid",
};
/** Services whose rate has another name. */
const SERVICE_OF: Readonly<Record<string, string>> = {
  codex: "openai",
  azure: "openai",
  bedrock: "claude",
  ccr: "claude",
};

/** Forms send numbers as text, and an empty field for "as it is". */
const figure = z
  .union([z.number(), z.string()])
  .nullish()
  .transform((value) => (value === null || value === undefined || value === "" ? undefined : Number(value)));
const flag = z.union([z.boolean(), z.stringbool()]).optional();
const instant = z
  .union([z.string(), z.number()])
  .nullish()
  .transform((value, issues) => {
    if (value === undefined) return undefined;
    if (value === null || value === "") return null;
    const at = new Date(value).getTime();
    if (Number.isNaN(at)) issues.addIssue("must be a time such as 2030-01-31T00:00:00Z");
    return at;
  });
const bindingId = z.string().max(200).nullish();

const fields = {
  name: z.unknown().optional(),
  description: z.unknown().optional(),
  tags: z.unknown().optional(),
  permissions: z.union([z.array(z.string()), z.string()]).optional(),
  claudeAccountId: bindingId,
  claudeConsoleAccountId: bindingId,
  geminiAccountId: bindingId,
  openaiAccountId: bindingId,
  azureOpenaiAccountId: bindingId,
  bedrockAccountId: bindingId,
  droidAccountId: bindingId,
  concurrencyLimit: figure,
  rateLimitWindow: figure,
  rateLimitRequests: figure,
  rateLimitCost: figure,
  dailyCostLimit: figure,
  totalCostLimit: figure,
  weeklyOpusCostLimit: figure,
  weeklyResetDay: figure,
  weeklyResetHour: figure,
  enableModelRestriction: flag,
  restrictedModels: z.array(z.string()).optional(),
  enableClientRestriction: flag,
  allowedClients: z.array(z.string()).optional(),
  expirationMode: z.enum(["fixed", "activation"]).optional(),
  activationDays: figure,
  activationUnit: z.enum(["hours", "days"]).optional(),
  expiresAt: instant,
  isActive: flag,
  serviceRates: z.record(z.string(), z.number()).optional(),
  ownerId: z.string().nullish(),
} as const;

export const oldKeySchema = z.object(fields);
type OldKey = z.output<typeof oldKeySchema>;

/** Undefined: nothing is said of it. */
function bindingOf(key: OldKey) {
  const named = BINDINGS.map((name) => key[name]);
  const id = named.find((value) => value !== undefined && value !== null && value !== "");
  if (id === undefined || id === null) return named.some((value) => value !== undefined) ? null : undefined;
  return id.startsWith(GROUP)
    ? { kind: "group", group: id.slice(GROUP.length) }
    : { kind: "account", accountId: id.replace(KINDS, "") };
}

/** `all`, one service, a list with commas, or an array; empty: all. */
function permissionsOf(permissions: OldKey["permissions"]) {
  if (permissions === undefined) return undefined;
  const named = Array.isArray(permissions) ? permissions : permissions.split(",");
  return named.map((name) => name.trim()).filter((name) => name !== "" && name !== "all");
}

/** A restriction that is switched off leaves no list. */
function listOf<Item>(isOn: boolean | undefined, items: readonly Item[] | undefined) {
  return isOn === false ? [] : items;
}

function activationOf({ expirationMode, activationDays, activationUnit = "days" }: OldKey) {
  if (expirationMode === undefined) return undefined;
  return expirationMode === "fixed" ? null : { amount: activationDays ?? 30, unit: activationUnit };
}

/** What there is no room for is refused there by name; what is not said stays unsaid. */
export function keyFromOld(key: OldKey): Record<string, unknown> {
  const rates = key.serviceRates && Object.entries(key.serviceRates);
  return given({
    name: key.name,
    description: key.description,
    tags: key.tags,
    ownerId: key.ownerId === "" || key.ownerId === "admin" ? null : key.ownerId,
    enabled: key.isActive,
    expiresAt: key.expiresAt,
    activation: activationOf(key),
    binding: bindingOf(key),
    permissions: permissionsOf(key.permissions),
    clients: listOf(
      key.enableClientRestriction,
      key.allowedClients?.map((id) => CLIENT_OF[id] ?? id),
    ),
    blockedModels: listOf(key.enableModelRestriction, key.restrictedModels),
    concurrency: key.concurrencyLimit,
    windowMinutes: key.rateLimitWindow,
    windowRequests: key.rateLimitRequests,
    windowCost: key.rateLimitCost,
    dailyCost: key.dailyCostLimit,
    totalCost: key.totalCostLimit,
    weeklyPremiumCost: key.weeklyOpusCostLimit,
    weekStartDay: key.weeklyResetDay,
    weekStartHour: key.weeklyResetHour,
    rates: rates && Object.fromEntries(rates.map(([name, rate]) => [SERVICE_OF[name] ?? name, rate])),
  });
}

const oldClientOf = (client: string): string =>
  Object.entries(CLIENT_OF).find(([, ours]) => ours === client)?.[0] ?? client;

/** A key with its options by both names. */
export function oldKeyOf<View extends KeyView>(key: View) {
  const { binding, status } = key;
  const bound = binding === null ? "" : binding.kind === "group" ? GROUP + binding.group : binding.accountId;
  return {
    ...key,
    isActive: key.enabled,
    isDeleted: key.deletedAt !== null,
    accountId: bound,
    permissions: key.permissions.length === SERVICES.length ? [] : key.permissions,
    concurrencyLimit: key.concurrency,
    rateLimitWindow: key.windowMinutes,
    rateLimitRequests: key.windowRequests,
    rateLimitCost: key.windowCost,
    dailyCostLimit: key.dailyCost,
    totalCostLimit: key.totalCost,
    weeklyOpusCostLimit: key.weeklyPremiumCost,
    weeklyResetDay: key.weekStartDay,
    weeklyResetHour: key.weekStartHour,
    enableModelRestriction: key.blockedModels.length > 0,
    restrictedModels: key.blockedModels,
    enableClientRestriction: key.clients.length > 0,
    allowedClients: key.clients.map(oldClientOf),
    serviceRates: key.rates,
    expirationMode: key.activation === null ? "fixed" : "activation",
    activationDays: key.activation?.amount ?? 0,
    activationUnit: key.activation?.unit ?? "days",
    isActivated: key.activation === null || (status?.activatedAt ?? null) !== null,
    activatedAt: isoTime(status?.activatedAt ?? null),
    expiresAt: isoTime(status?.expiresAt ?? key.expiresAt),
    createdAt: isoTime(key.createdAt),
    updatedAt: isoTime(key.updatedAt),
    lastUsedAt: isoTime(status?.lastUsedAt ?? null),
    maskedKey: `cr_****${key.hint}`,
    userId: key.ownerId ?? "",
    usage: {
      total: {
        requests: status?.totalRequests ?? 0,
        tokens: status?.totalTokens ?? 0,
        cost: toDollars(status?.totalCost ?? 0),
      },
    },
  };
}
