/** The accounts and keys that the demo shows. */
import type { UpstreamControl } from "../../tests/upstream/client.ts";
import type { Admin } from "./admin.ts";

/** Names under which the fake upstream keeps the accounts apart. */
export const SUBJECTS = {
  steady: "demo-steady",
  limited: "demo-limited",
  slow: "demo-slow",
  subscription: "demo-subscription",
} as const;

/** Short, so that the rotation of its tokens can be watched. */
const TOKEN_LIFE_S = 150;
const TOKENS = { accessToken: "sk-ant-oat01-demo-first", refreshToken: "sk-ant-ort01-demo-first" };
const SLOW_SLOTS = 2;

export interface BusyKey {
  readonly key: string;
  /** How many it has at a time: its share of the traffic. */
  readonly conversations: number;
}

export interface SampleKeys {
  /** Keys of people and machines, with traffic. */
  readonly busy: readonly BusyKey[];
  /** For whoever looks at the demo. */
  readonly visitor: string;
}

async function createAccounts(admin: Admin, upstream: UpstreamControl): Promise<{ slowId: string }> {
  const baseUrl = upstream.url;
  const withKey = (apiKey: string) => ({ provider: "claude-console", baseUrl, credential: { apiKey } });
  await admin.createAccount({ name: "Steady", ...withKey(SUBJECTS.steady), maxConcurrency: 20 });
  await admin.createAccount({ name: "Rate limited now and then", ...withKey(SUBJECTS.limited) });
  const slow = { name: "Slow, two slots", weight: 60, maxConcurrency: SLOW_SLOTS };
  const { id: slowId } = await admin.createAccount({ ...slow, ...withKey(SUBJECTS.slow) });

  const family = { family: SUBJECTS.subscription, ...TOKENS, expiresInS: TOKEN_LIFE_S };
  await upstream.seedOAuth({ ...family, strict: true, requireBeta: true });
  await admin.createAccount({
    name: "Subscription with rotating tokens",
    provider: "claude-oauth",
    credential: { ...TOKENS, expiresAt: Date.now() + TOKEN_LIFE_S * 1000 },
    baseUrl,
    tokenUrl: `${baseUrl}/v1/oauth/token`,
    maxConcurrency: 10,
  });
  return { slowId };
}

/** Creates everything through the admin API, as a person would. */
export async function createSamples(admin: Admin, upstream: UpstreamControl): Promise<SampleKeys> {
  const { slowId } = await createAccounts(admin, upstream);
  const ada = await admin.createKey({ name: "Ada" });
  const grace = await admin.createKey({ name: "Grace", activation: { amount: 30, unit: "days" } });
  const builds = await admin.createKey({ name: "Build server", concurrency: 2, queueLength: 4 });
  const binding = { kind: "account", accountId: slowId } as const;
  const nights = await admin.createKey({ name: "Night jobs", binding });
  await admin.createKey({ name: "Former colleague", enabled: false });
  const { key: visitor } = await admin.createKey({ name: "You" });
  return {
    visitor,
    busy: [
      { key: ada.key, conversations: 4 },
      { key: grace.key, conversations: 3 },
      { key: builds.key, conversations: 3 },
      { key: nights.key, conversations: 1 },
    ],
  };
}
