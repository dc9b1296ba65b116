/** The account's form as data: what a page needs to draw it for any kind of account without knowing one. */
import { z } from "zod";
import { accountInputSchema, accountPatchSchema } from "../domain/account.ts";
import { knownModels } from "../pricing/known-models.ts";
import { PRICE_TABLE } from "../pricing/table.ts";
import type { Provider } from "../providers/provider.ts";

type JsonSchema = Readonly<Record<string, unknown>>;
type FieldName = Exclude<keyof z.input<typeof accountInputSchema>, "provider" | "credential">;

/** In the order of the form. */
const WORDS = {
  name: { title: "Name", description: "what people call it" },
  baseUrl: { title: "Address", description: "of the upstream; empty: the usual one" },
  tokenUrl: { title: "Token address", description: "where tokens are renewed; empty: the usual one" },
  proxy: { title: "Proxy", description: "socks5://user:password@host:port, or its fields; empty: none" },
  proxyId: {
    title: "Shared proxy",
    description: "the id of one of /admin/proxies, in place of a proxy of its own",
  },
  priority: { title: "Priority", description: "1 to 100; the smaller is tried first" },
  weight: { title: "Weight", description: "its share of the sessions within a priority" },
  maxConcurrency: { title: "Simultaneous requests", description: "0: unlimited" },
  groups: { title: "Groups", description: "keys are bound to them; none: the shared pool" },
  models: { title: "Models", description: "that it may serve, * as a wildcard; none: all" },
  modelMap: { title: "Model names", description: "what to ask the upstream for, where it has other names" },
  queueLength: { title: "Queue length", description: "requests that may wait for a slot" },
  queueMultiple: { title: "Queue multiple", description: "of the slots, where that is more" },
  queueTimeoutMs: {
    title: "Longest wait",
    description: "in ms; empty: as long as a request may wait anywhere",
  },
  userTurns: {
    title: "One message at a time",
    description: "messages of people go one after the other, with a pause; empty: off",
  },
  stopOnWarning: {
    title: "Stop on warning",
    description: "rest while the upstream warns that the five-hour window is nearly used up",
  },
  cooldownSeconds: { title: "Rests", description: "after each kind of failure, in seconds; 0: none" },
  enabled: { title: "Enabled", description: "off: not used, and its token is not renewed" },
  schedulable: {
    title: "Schedulable",
    description: "off: it gets no new requests, and its token is kept fresh",
  },
  expiresAt: { title: "Subscription ends", description: "ms since 1970; after it the account is not used" },
} as const satisfies Record<FieldName, { readonly title: string; readonly description: string }>;

const ORDER = Object.keys(WORDS);

const schemaOf = (schema: z.ZodType): JsonSchema =>
  z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });

const propertiesSchema = z.record(z.string(), z.record(z.string(), z.unknown()));
const bare = schemaOf(accountInputSchema.omit({ provider: true, credential: true }));
const properties = propertiesSchema.parse(bare["properties"]);

const described = Object.fromEntries(
  Object.entries(WORDS).map(([name, words]) => [name, { ...properties[name], ...words }]),
);

/** Those that a change may name, too. */
const EDITABLE = ORDER.filter((name) => name in accountPatchSchema.shape);

function accountSchema({ needsBaseUrl, defaultBaseUrl }: Provider): JsonSchema {
  const address = typeof defaultBaseUrl === "string" ? { examples: [defaultBaseUrl] } : {};
  return {
    ...bare,
    properties: { ...described, baseUrl: { ...described["baseUrl"], ...address } },
    required: needsBaseUrl === true ? ["name", "baseUrl"] : ["name"],
  };
}

/** `redirect`, `device` and `setup_token` begin at `/admin/accounts/oauth/start`; the others are fields. */
export const SIGN_INS = ["redirect", "device", "setup_token", "tokens", "credential"] as const;
export type SignIn = (typeof SIGN_INS)[number];

/** In what ways an account of this kind can be signed in. */
const signInsOf = ({ oauth, device, setupToken, tokensIn }: Provider): readonly SignIn[] =>
  SIGN_INS.filter(
    (way) => ({ redirect: oauth, device, setup_token: setupToken, tokens: tokensIn, credential: true })[way],
  );

const MODELS = knownModels(PRICE_TABLE);

export const formOf = (provider: Provider) => ({
  id: provider.id,
  label: provider.label,
  credential: schemaOf(provider.credentialSchema),
  account: accountSchema(provider),
  order: ORDER,
  editable: [...EDITABLE, "credential"],
  signIns: signInsOf(provider),
  needsBaseUrl: provider.needsBaseUrl === true,
  defaultBaseUrl: provider.defaultBaseUrl ?? null,
  defaultModels: MODELS.filter(({ vendor }) => vendor === provider.vendor).map(({ id }) => id),
  oauth: provider.oauth !== undefined || provider.device !== undefined,
});
