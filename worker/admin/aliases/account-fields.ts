/** An account's fields by the names that claude-relay-service gives them, and back. Pure. */
import { z } from "zod";
import type { AccountView } from "../../domain/account.ts";
import { isObject } from "../../domain/json.ts";
import { given, isoTime } from "./alias.ts";

const text = z.string().max(10_000).optional();
const figure = z
  .union([z.number(), z.string()])
  .nullish()
  .transform((value) => (value === null || value === undefined || value === "" ? undefined : Number(value)));
const instant = z
  .union([z.number(), z.string()])
  .nullish()
  .transform((value, issues) => {
    if (value === null || value === undefined || value === "") return undefined;
    const at = new Date(value).getTime();
    if (Number.isNaN(at)) issues.addIssue("must be a time such as 2030-01-31T00:00:00Z");
    return at;
  });

/** Tokens as each vendor's sign-in calls them. */
const tokensSchema = z.object({
  accessToken: text,
  access_token: text,
  refreshToken: text,
  refresh_token: text,
  expiresAt: instant,
  expiry_date: instant,
});

export const oldAccountSchema = tokensSchema.extend({
  name: z.unknown().optional(),
  isActive: z.union([z.boolean(), z.stringbool()]).optional(),
  schedulable: z.union([z.boolean(), z.stringbool()]).optional(),
  subscriptionExpiresAt: instant,
  priority: figure,
  maxConcurrency: figure,
  maxConcurrentTasks: figure,
  proxy: z.unknown().optional(),
  accountType: z.string().optional(),
  groupId: text,
  groupIds: z.array(z.string()).optional(),
  supportedModels: z.union([z.array(z.string()), z.record(z.string(), z.string())]).optional(),
  apiUrl: text,
  baseApi: text,
  baseUrl: text,
  apiKey: text,
  apiKeys: z.union([z.array(z.string()), z.string()]).optional(),
  claudeAiOauth: tokensSchema.optional(),
  openaiOauth: tokensSchema.optional(),
  geminiOauth: tokensSchema.optional(),
  accountInfo: z.object({ accountId: text }).optional(),
  projectId: text,
  organizationId: text,
  region: text,
  awsCredentials: z.object({ accessKeyId: text, secretAccessKey: text, sessionToken: text }).optional(),
  bearerToken: text,
  azureEndpoint: text,
  apiVersion: text,
  deploymentName: text,
});
type OldAccount = z.output<typeof oldAccountSchema>;

function tokensOf(account: OldAccount) {
  const tokens = account.claudeAiOauth ?? account.openaiOauth ?? account.geminiOauth ?? account;
  return given({
    accessToken: tokens.accessToken ?? tokens.access_token,
    refreshToken: tokens.refreshToken ?? tokens.refresh_token,
    expiresAt: tokens.expiresAt ?? tokens.expiry_date,
  });
}

type CredentialOf = (account: OldAccount) => Record<string, unknown>;

const apiKeyOf: CredentialOf = ({ apiKey }) => given({ apiKey });

function droidOf(account: OldAccount) {
  const { apiKey, apiKeys, organizationId } = account;
  const keys = typeof apiKeys === "string" ? apiKeys.split(/\s+/).filter((key) => key !== "") : apiKeys;
  if (keys !== undefined && keys.length > 0) return { apiKeys: keys };
  return apiKey === undefined ? { ...tokensOf(account), ...given({ organizationId }) } : { apiKey };
}

export interface Platform {
  /** Below `/admin`. */
  readonly path: string;
  /** What the reference calls this kind of account. */
  readonly platform: string;
  readonly provider: string;
  readonly credentialOf: CredentialOf;
}

export const PLATFORMS: readonly Platform[] = [
  { path: "claude-accounts", platform: "claude", provider: "claude-oauth", credentialOf: tokensOf },
  {
    path: "claude-console-accounts",
    platform: "claude-console",
    provider: "claude-console",
    credentialOf: apiKeyOf,
  },
  { path: "ccr-accounts", platform: "ccr", provider: "ccr", credentialOf: apiKeyOf },
  {
    path: "bedrock-accounts",
    platform: "bedrock",
    provider: "bedrock",
    credentialOf: ({ region, awsCredentials, bearerToken }) =>
      given({ region: region ?? "us-east-1", bearerToken, ...awsCredentials }),
  },
  {
    path: "openai-accounts",
    platform: "openai",
    provider: "openai-oauth",
    credentialOf: (account) => ({
      ...tokensOf(account),
      ...given({ accountId: account.accountInfo?.accountId }),
    }),
  },
  {
    path: "openai-responses-accounts",
    platform: "openai-responses",
    provider: "openai-responses",
    credentialOf: apiKeyOf,
  },
  {
    path: "azure-openai-accounts",
    platform: "azure_openai",
    provider: "azure-openai",
    credentialOf: ({ apiKey, azureEndpoint, deploymentName, apiVersion }) =>
      given({ apiKey, endpoint: azureEndpoint, deployment: deploymentName, apiVersion }),
  },
  {
    path: "gemini-accounts",
    platform: "gemini",
    provider: "gemini-oauth",
    credentialOf: (account) => ({ ...tokensOf(account), ...given({ projectId: account.projectId }) }),
  },
  { path: "gemini-api-accounts", platform: "gemini-api", provider: "gemini-api", credentialOf: apiKeyOf },
  { path: "droid-accounts", platform: "droid", provider: "droid", credentialOf: droidOf },
];

/** A list names models; a table maps them. */
function modelsOf(models: OldAccount["supportedModels"]) {
  if (models === undefined) return {};
  return Array.isArray(models) ? { models, modelMap: {} } : { models: Object.keys(models), modelMap: models };
}

function groupsOf({ accountType, groupId, groupIds }: OldAccount) {
  if (accountType === "shared") return [];
  return groupIds ?? (groupId === undefined ? undefined : [groupId]);
}

/** `null` and an empty form are no proxy. */
export function proxyFromOld(proxy: unknown) {
  if (proxy === undefined) return undefined;
  return proxy === "" || (isObject(proxy) && !proxy["host"]) ? null : proxy;
}

export function accountFromOld({ credentialOf }: Platform, account: OldAccount): Record<string, unknown> {
  const credential = credentialOf(account);
  const hasSecret = Object.keys(credential).some((name) => name !== "region");
  return given({
    name: account.name,
    enabled: account.isActive,
    schedulable: account.schedulable,
    expiresAt: account.subscriptionExpiresAt,
    priority: account.priority,
    maxConcurrency: account.maxConcurrency ?? account.maxConcurrentTasks,
    proxy: proxyFromOld(account.proxy),
    groups: groupsOf(account),
    ...modelsOf(account.supportedModels),
    baseUrl: account.apiUrl ?? account.baseApi ?? account.baseUrl,
    credential: hasSecret ? credential : undefined,
  });
}

const STATUS = {
  available: "active",
  full: "active",
  paused: "paused",
  expired: "expired",
  disabled: "error",
} as const;

function statusOf({ enabled, status }: AccountView): string {
  const availability = status?.availability;
  if (!enabled) return "paused";
  if (availability === undefined) return "created";
  if (availability.kind !== "cooling") return STATUS[availability.kind];
  return availability.cooldown.reason === "rate_limited" ? "rate_limited" : "temp_error";
}

/** An account with its fields by both names. Never a secret: there is none in what it is made of. */
export function oldAccountOf<View extends AccountView>({ platform }: Platform, account: View) {
  return {
    ...account,
    platform,
    isActive: account.enabled,
    accountType: account.groups.length > 0 ? "group" : "shared",
    groupIds: account.groups,
    supportedModels: account.models,
    apiUrl: account.baseUrl,
    accountStatus: statusOf(account),
    lastUsedAt: isoTime(account.status?.lastUsedAt ?? null),
    createdAt: isoTime(account.createdAt),
    updatedAt: isoTime(account.updatedAt),
  };
}
