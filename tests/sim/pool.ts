/** The accounts, keys and conversations of a run. */
import { accountConfigSchema, type AccountConfig, type Directory } from "../../worker/domain/account.ts";
import { POLICIES, SHARED_POOL, type Group, type Policy } from "../../worker/domain/group.ts";
import { affinity, type Affinity } from "../../worker/domain/ids.ts";
import { keyConfigSchema, type KeyConfig, type KeyInput } from "../../worker/domain/key.ts";
import { MODELS, type Model } from "./prices.ts";
import type { Random } from "./random.ts";

export interface Session {
  readonly number: number;
  /** Null: a client that names no session. */
  readonly affinity: Affinity | null;
  readonly key: KeyConfig;
  readonly model: Model;
}

export interface Pool {
  readonly accounts: readonly AccountConfig[];
  readonly groups: readonly Group[];
  readonly keys: readonly KeyConfig[];
}

const digits = (number: number) => String(number).padStart(8, "0");

export const accountOf = (number: number, overrides: Partial<AccountConfig>): AccountConfig => ({
  ...accountConfigSchema.parse({
    id: `acc_${digits(number)}`,
    name: `account ${String(number)}`,
    provider: "claude-console",
    baseUrl: null,
    tokenUrl: null,
    priority: 50,
    weight: 100,
    maxConcurrency: 5,
    groups: [],
    models: [],
    enabled: true,
    createdAt: 0,
    updatedAt: 0,
  }),
  ...overrides,
});

export const keyOf = (number: number, overrides: Partial<KeyInput>): KeyConfig =>
  keyConfigSchema.parse({
    id: `key_${digits(number)}`,
    name: `key ${String(number)}`,
    hint: "abcdef",
    createdAt: 0,
    updatedAt: 0,
    ...overrides,
  });

export function sessionOf(number: number, key: KeyConfig, model: Model, isNamed: boolean): Session {
  const name = isNamed ? affinity(key.id, `session-${String(number)}`) : null;
  return { number, affinity: name, key, model };
}

export const directoryOf = (
  { groups }: Pool,
  accounts: readonly AccountConfig[],
  version: number,
): Directory => ({
  version,
  accounts: accounts.map(
    ({ id, provider, priority, weight, groups: names, models, modelMap, userTurns, enabled }) => ({
      id,
      provider,
      priority,
      weight,
      groups: names,
      models,
      modelMap,
      userTurns,
      enabled,
    }),
  ),
  groups: [...groups],
  purses: [],
});

/** Accounts that differ in their number only, all in the shared pool under one policy, and a key without limits. */
export function evenPool(accounts: number, slots: number, policy: Policy): Pool {
  return {
    accounts: Array.from({ length: accounts }, (_, number) => accountOf(number, { maxConcurrency: slots })),
    groups: [{ name: SHARED_POOL, policy, modelMap: {} }],
    keys: [keyOf(0, {})],
  };
}

const TEAM = "team";

function accountFor(number: number, random: Random): AccountConfig {
  return accountOf(number, {
    weight: random.pick([50, 100, 100, 200]),
    priority: random.pick([10, 50, 50, 50]),
    maxConcurrency: random.pick([0, 1, 2, 3, 5, 8]),
    groups: number % 2 === 1 ? [TEAM] : [],
    models: random.chance(0.1) ? ["*sonnet*", "*haiku*"] : [],
    queueLength: random.pick([0, 3, 20]),
    queueMultiple: random.pick([0, 2]),
    queueTimeoutMs: random.pick([null, null, 5000, 60_000]),
    userTurns: random.chance(0.2) ? { delayMs: random.pick([0, 500, 2000]), timeoutMs: 20_000 } : null,
    cooldownSeconds: random.chance(0.2) ? { overloaded: 3, network: 0, rate_limited: 10 } : {},
  });
}

/** Keys of every kind. Budgets are for 100,000 requests: they are reached now and then, and most still pass. */
const KEYS: readonly Partial<KeyInput>[] = [
  {},
  { concurrency: 4, queueLength: 0 },
  { concurrency: 3, queueLength: 5 },
  { concurrency: 2, queueMultiple: 3, queueTimeoutMs: 8000 },
  { concurrency: 6, queueLength: 10, dailyCost: 500, rates: { claude: 1.5 } },
  { concurrency: 5, queueLength: 4, dailyCost: 250, weeklyPremiumCost: 120, hardBudget: true },
  { concurrency: 4, queueLength: 4, totalCost: 400, hardBudget: true, rates: { claude: 0.7 } },
  { concurrency: 8, queueLength: 8, windowMinutes: 30, windowRequests: 1000, windowTokens: 13_000_000 },
  { windowMinutes: 60, windowCost: 200, weeklyCost: 800, queueLength: 3 },
];

/** This one has a single account. */
const SINGLE = 1;

const REQUESTS_BUDGETED = 100_000;

function scaled(limits: Partial<KeyInput>, requests: number): Partial<KeyInput> {
  const share = requests / REQUESTS_BUDGETED;
  const { dailyCost = 0, weeklyCost = 0, weeklyPremiumCost = 0, totalCost = 0 } = limits;
  return {
    ...limits,
    dailyCost: dailyCost * share,
    weeklyCost: weeklyCost * share,
    weeklyPremiumCost: weeklyPremiumCost * share,
    totalCost: totalCost * share,
  };
}

/** Tens of accounts and a key of each kind, none like the other. */
export function mixedPool(random: Random, requests: number): Pool {
  const accounts = Array.from({ length: random.between(10, 30) }, (_, number) => accountFor(number, random));
  const team = { kind: "group", group: TEAM } as const;
  const bindings: KeyInput["binding"][] = [null, team, team];
  const single = random.pick(accounts).id;
  const bindingOf = (number: number): KeyInput["binding"] => {
    if (number === SINGLE) return { kind: "account", accountId: single };
    return number === 0 ? null : random.pick(bindings);
  };
  return {
    accounts,
    groups: [SHARED_POOL, TEAM].map((name) => ({ name, policy: random.pick(POLICIES), modelMap: {} })),
    keys: KEYS.map((limits, number) =>
      keyOf(number, {
        ...scaled(limits, requests),
        binding: bindingOf(number),
        bindingFallback: random.chance(0.3),
      }),
    ),
  };
}

export const anyModel = (random: Random): Model => random.pick(MODELS);
