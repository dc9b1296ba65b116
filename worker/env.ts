/** The environment: vars, secrets and bindings, validated once. Nothing else reads them. */
import { z } from "zod";
import type { AccountContract } from "../durable-objects/account/contract.ts";
import type { CaptureContract } from "../durable-objects/capture/contract.ts";
import type { FeedContract } from "../durable-objects/feed/contract.ts";
import type { KeyContract } from "../durable-objects/key/contract.ts";
import type { NotifierContract } from "../durable-objects/notifier/contract.ts";
import type { ProxyContract } from "../durable-objects/proxy/contract.ts";
import type { SettingValues } from "./domain/settings.ts";
import { timeZoneSchema } from "./domain/time-zone.ts";
import {
  ldapSettings,
  ldapVariables,
  oidcSettings,
  oidcVariables,
  signInProblems,
} from "./domain/sign-in-settings.ts";

/** The part of a Durable Object namespace that the relay uses, typed by the object's contract. */
export interface ObjectNamespace<Contract> {
  idFromName(name: string): DurableObjectId;
  get(id: DurableObjectId): Contract;
}

const binding = <Binding>(name: string) =>
  z.custom<Binding>((value) => typeof value === "object" && value !== null, `binding ${name} is missing`);

const origin = z
  .url({ protocol: /^https?$/, error: "must be a list of origins such as https://admin.example.org" })
  .transform((url) => new URL(url).origin);
const origins = z
  .string()
  .transform((list) => list.split(",").map((each) => each.trim()))
  .pipe(z.array(origin).min(1).max(20));

const variablesSchema = z.object({
  KV: binding<KVNamespace>("KV"),
  DB: binding<D1Database>("DB"),
  KEYS: binding<ObjectNamespace<KeyContract>>("KEYS"),
  ACCOUNTS: binding<ObjectNamespace<AccountContract>>("ACCOUNTS"),
  PROXIES: binding<ObjectNamespace<ProxyContract>>("PROXIES"),
  NOTIFIER: binding<ObjectNamespace<NotifierContract>>("NOTIFIER"),
  CAPTURES: binding<ObjectNamespace<CaptureContract>>("CAPTURES"),
  FEED: binding<ObjectNamespace<FeedContract>>("FEED"),
  /** `id:base64` of 32 bytes, comma separated, the newest first. */
  ENCRYPTION_KEYS: z.string().min(1),
  /** Signs admin sessions. */
  SESSION_SECRET: z.string().min(32),
  ADMIN_USERNAME: z.string().min(1).default("admin"),
  ADMIN_PASSWORD: z.string().min(8),
  /** Of the public client that Google's own command line signs in with; without it no such account can sign in. */
  GEMINI_OAUTH_CLIENT_SECRET: z.string().min(1).max(200).optional(),
  /** What a monitor sends to be given /metrics; without it there are none. */
  METRICS_TOKEN: z.string().min(32).optional(),
  /** Where a day begins. */
  TIMEZONE: timeZoneSchema.default("UTC"),
  /** Anybody may register, as a user. */
  REGISTRATION: z.stringbool().default(false),
  /** What somebody who registers must have been told; without it nothing. */
  REGISTRATION_CODE: z.string().min(8).max(200).optional(),
  /** Where browsers show the admin, comma separated: what passkeys are made for. Without it: where the relay is asked. */
  ADMIN_ORIGINS: origins.optional(),
  /** Loopback and private upstream addresses, for development. */
  ALLOW_PRIVATE_UPSTREAMS: z.stringbool().default(false),
  /** The egress forwarder, which calls of accounts with a proxy go through; without it the worker opens tunnels itself. */
  EGRESS_URL: z.url({ protocol: /^https?$/, error: "must be the forwarder's address" }).optional(),
  /** What the forwarder asks for. */
  EGRESS_TOKEN: z.string().min(32).optional(),
  /** Largest request body, in bytes. Anthropic's own limit is 32 MB (API reference, "Request size limits"). */
  BODY_BYTES_MAX: z.coerce.number().int().min(1024).max(100_000_000).default(32_000_000),
  /** Until a stream's headers must have come, in ms. */
  HEADERS_TIMEOUT_MS: z.coerce.number().int().min(100).max(900_000).default(300_000),
  /** Until a complete answer's headers, and again until its body must have come, in ms: the SDKs wait ten minutes. */
  ANSWER_TIMEOUT_MS: z.coerce.number().int().min(100).max(3_600_000).default(600_000),
  /** Longest silence inside an answer, in ms. */
  IDLE_TIMEOUT_MS: z.coerce.number().int().min(100).max(900_000).default(180_000),
  /** Silence after which a stream gets a comment line, in ms. */
  HEARTBEAT_MS: z.coerce.number().int().min(100).max(900_000).default(15_000),
  /** Longest wait for a slot when every account is full, in ms. */
  QUEUE_TIMEOUT_MS: z.coerce.number().int().min(0).max(600_000).default(30_000),
  /** Output tokens that one request holds back from its key's budgets while it runs, at most. */
  RESERVED_OUTPUT_TOKENS_MAX: z.coerce.number().int().min(0).max(1_000_000).default(32_000),
  /** How long a conversation waits for its own account's rest to end before it moves to another, in ms; 0: never. */
  SESSION_PATIENCE_MS: z.coerce.number().int().min(0).max(60_000).default(5000),
  /**
   * How long the beginning of a stream is held back until its first content, in ms, so that an error in its
   * place is met by another account; 0: not at all. Only a stream that opens and then says nothing waits so long.
   */
  HOLD_BACK_MS: z.coerce.number().int().min(0).max(30_000).default(1000),
  /** Whoever holds a key may see what it is and what it used, and redeem quota cards for it. */
  PUBLIC_PAGE: z.stringbool().default(true),
  /** How long the way a request was routed is kept, in days. */
  ROUTING_DAYS: z.coerce.number().int().min(0).max(365).default(7),
  /** How long records are kept, in months; their sums stay. 0: for ever. */
  RECORD_MONTHS: z.coerce.number().int().min(0).max(1200).default(0),
  /** One line of the log for each request's end. */
  LOG_REQUESTS: z.stringbool().default(false),
  /** Where the public list of prices is fetched from once a day; `off`: nowhere, the bundled one stays. */
  PRICES_URL: z
    .union([z.literal("off"), z.url({ protocol: /^https?$/, error: "must be an address, or off" })])
    .default("https://raw.githubusercontent.com/pydantic/genai-prices/main/prices/new_data/v2/data.json"),
  /** Where records go before they are deleted; without it they are only deleted. */
  ARCHIVE: binding<R2Bucket>("ARCHIVE").optional(),
  /** How long a moved conversation stays where it went, in ms, renewed by use. */
  SESSION_TTL_MS: z.coerce
    .number()
    .int()
    .min(1000)
    .max(30 * 86_400_000)
    .default(3_600_000),
  // Where else people sign in.
  ...ldapVariables,
  ...oidcVariables,
});

/** A forwarder without its token, or named half, must not be taken for none: then calls would go another way. */
const envSchema = variablesSchema.superRefine(
  ({ EGRESS_URL, EGRESS_TOKEN, ALLOW_PRIVATE_UPSTREAMS, ...others }, issues) => {
    const refuse = (name: string, message: string) => {
      issues.addIssue({ code: "custom", path: [name], message });
    };
    for (const { name, message } of signInProblems(others, ALLOW_PRIVATE_UPSTREAMS)) refuse(name, message);
    if (EGRESS_URL !== undefined && EGRESS_TOKEN === undefined)
      refuse("EGRESS_TOKEN", "is missing beside EGRESS_URL");
    if (EGRESS_URL === undefined && EGRESS_TOKEN !== undefined)
      refuse("EGRESS_URL", "is missing beside EGRESS_TOKEN");
    // Credentials go there.
    if (EGRESS_URL?.startsWith("http:") === true && !ALLOW_PRIVATE_UPSTREAMS) {
      refuse("EGRESS_URL", "must begin with https://");
    }
  },
);
export type Env = z.infer<typeof envSchema>;

/** What the calls of accounts need to know of the deployment. */
export const networkOf = ({ ALLOW_PRIVATE_UPSTREAMS, EGRESS_URL, EGRESS_TOKEN }: Env) => ({
  allowPrivate: ALLOW_PRIVATE_UPSTREAMS,
  egress:
    EGRESS_URL === undefined || EGRESS_TOKEN === undefined ? null : { url: EGRESS_URL, token: EGRESS_TOKEN },
});

const KEYS_OF_ONE_USER_MAX = 5;
const defaults = new WeakMap<Env, SettingValues>();

/** What holds where an admin has set nothing else. The same object for the same environment. */
export function settingDefaults(env: Env): SettingValues {
  const known = defaults.get(env);
  if (known !== undefined) return known;
  const values: SettingValues = {
    sessionTtlMs: env.SESSION_TTL_MS,
    sessionPatienceMs: env.SESSION_PATIENCE_MS,
    queueTimeoutMs: env.QUEUE_TIMEOUT_MS,
    holdBackMs: env.HOLD_BACK_MS,
    routingDays: env.ROUTING_DAYS,
    recordMonths: env.RECORD_MONTHS,
    timeZone: env.TIMEZONE,
    requireSecondFactor: false,
    logRequests: env.LOG_REQUESTS,
    cooldownSeconds: {},
    rates: {},
    branding: { name: "edge-relay", icon: null, notice: null },
    publicPage: { enabled: env.PUBLIC_PAGE },
    registration: { enabled: env.REGISTRATION, role: "user", keysMax: KEYS_OF_ONE_USER_MAX },
  };
  defaults.set(env, values);
  return values;
}

/** By provider, as its token calls want them. */
export const clientSecretsOf = (env: Env): Readonly<Record<string, string | undefined>> => ({
  "gemini-oauth": env.GEMINI_OAUTH_CLIENT_SECRET,
});

/** The directory that people sign in with; null: there is none. */
export const ldapOf = (env: Env) => ldapSettings(env, env.ALLOW_PRIVATE_UPSTREAMS);

/** The OpenID provider that people sign in with; null: there is none. */
export const oidcOf = (env: Env) => oidcSettings(env, env.ALLOW_PRIVATE_UPSTREAMS);

export class BadEnvironment extends Error {}

const parsed = new WeakMap<object, Env>();

/** @throws BadEnvironment naming what is wrong, never a value */
export function parseEnv(raw: object): Env {
  const known = parsed.get(raw);
  if (known !== undefined) return known;
  const result = envSchema.safeParse(raw);
  if (!result.success) {
    const names = result.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
    throw new BadEnvironment(`Environment: ${names.join("; ")}`);
  }
  parsed.set(raw, result.data);
  return result.data;
}
