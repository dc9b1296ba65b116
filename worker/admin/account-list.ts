/** Which accounts an admin is shown, and in which order. */
import { z } from "zod";
import type { AccountConfig, AccountView } from "../domain/account.ts";
import type { Availability } from "../domain/cooldown.ts";
import { RelayError } from "../domain/errors.ts";
import { nameSchema } from "../domain/text.ts";
import type { Env } from "../env.ts";
import { listAccounts } from "../storage/accounts.ts";
import { offsetOf, pageSchema } from "./context.ts";
import { accountObject } from "./objects.ts";

/** Only an account's object knows its state: more than these are not asked for one answer. */
const ASKED_MAX = 500;

const STATUSES = [
  "available",
  "full",
  "cooling",
  "disabled",
  "paused",
  "expired",
] as const satisfies readonly Availability["kind"][];
type Status = Availability["kind"];

const ORDERS = {
  createdAt: (a, b) => a.createdAt - b.createdAt,
  updatedAt: (a, b) => a.updatedAt - b.updatedAt,
  name: (a, b) => a.name.localeCompare(b.name, "en"),
  provider: (a, b) => a.provider.localeCompare(b.provider, "en"),
  priority: (a, b) => a.priority - b.priority,
  expiresAt: (a, b) => (a.expiresAt ?? Infinity) - (b.expiresAt ?? Infinity) || 0,
} as const satisfies Record<string, (a: AccountConfig, b: AccountConfig) => number>;
type Order = keyof typeof ORDERS;
const isOrder = (name: string): name is Order => Object.hasOwn(ORDERS, name);

export const accountQuerySchema = pageSchema.extend({
  provider: z.string().max(40).optional(),
  /** `ungrouped` accounts are the shared pool's. */
  group: nameSchema.optional(),
  status: z.enum(STATUSES).optional(),
  /** In the name, the provider, an address or the id. */
  search: z.string().trim().max(100).optional(),
  /** A field; with a minus before it, the largest first. */
  sort: z
    .string()
    .refine((sort) => isOrder(sort.replace(/^-/, "")), `must be one of ${Object.keys(ORDERS).join(", ")}`)
    .default("createdAt"),
});
type AccountQuery = z.output<typeof accountQuerySchema>;

export const UNGROUPED = "ungrouped";

const isIn = ({ groups }: AccountConfig, group: string) =>
  group === UNGROUPED ? groups.length === 0 : groups.includes(group);

/** @param query of which the status is not looked at */
export function selected(accounts: readonly AccountConfig[], query: AccountQuery): readonly AccountConfig[] {
  const { provider, group, search, sort } = query;
  const wanted = search?.toLowerCase() ?? "";
  const field = sort.replace(/^-/, "");
  const order = isOrder(field) ? ORDERS[field] : ORDERS.createdAt;
  const sign = sort.startsWith("-") ? -1 : 1;
  return accounts
    .filter((account) => provider === undefined || account.provider === provider)
    .filter((account) => group === undefined || isIn(account, group))
    .filter(({ name, provider: kind, baseUrl, id }) =>
      [name, kind, baseUrl ?? "", id].some((text) => text.toLowerCase().includes(wanted)),
    )
    .toSorted((a, b) => sign * order(a, b));
}

const kindOf = ({ status }: AccountView): Status => status?.availability.kind ?? "disabled";

export async function listedAccounts(
  env: Env,
  query: AccountQuery,
): Promise<{ readonly items: readonly AccountView[]; readonly total: number }> {
  const { limit, offset } = offsetOf(query);
  const viewsOf = (configs: readonly AccountConfig[]) =>
    Promise.all(
      configs.map(async (config) => ({ ...config, status: await accountObject(env, config.id).status() })),
    );
  const found = selected(await listAccounts(env.DB), query);
  if (query.status === undefined) {
    return { items: await viewsOf(found.slice(offset, offset + limit)), total: found.length };
  }
  if (found.length > ASKED_MAX) {
    const most = String(ASKED_MAX);
    throw new RelayError("invalid_request", `status: needs a narrower search, at most ${most} accounts`);
  }
  const fitting = (await viewsOf(found)).filter((view) => kindOf(view) === query.status);
  return { items: fitting.slice(offset, offset + limit), total: fitting.length };
}
