/** Everything the admin takes from the worker's domain: types, and the schemas its forms are checked with. */
export { accountInputSchema, accountPatchSchema } from "../../../worker/domain/account.ts";
export type { AccountInput, AccountPatch, AccountView } from "../../../worker/domain/account.ts";
export type { Availability, Cooldown, CooldownReason, LimitWindow } from "../../../worker/domain/cooldown.ts";
export type { ProxyConfig } from "../../../worker/domain/proxy.ts";
export { keyFieldsSchema, refuseInconsistency } from "../../../worker/domain/key.ts";
export type { KeyInput, KeyPatch, KeyView, LimitStatus } from "../../../worker/domain/key.ts";
export type { LimitId } from "../../../worker/domain/key-limits.ts";
export type { ClientId } from "../../../worker/domain/client-identity.ts";
export { groupSchema, SHARED_POOL } from "../../../worker/domain/group.ts";
export type { Group, Policy } from "../../../worker/domain/group.ts";
export type { RefusalReason } from "../../../worker/domain/lease.ts";
export type { Routing, RoutingStep } from "../../../worker/domain/routing.ts";
export type { Service } from "../../../worker/domain/service.ts";
export type { EpochMs } from "../../../worker/domain/ids.ts";
export type { NanoDollars } from "../../../worker/domain/money.ts";
export type { Outcome, RequestView, TokenUsage, UsageView } from "../../../worker/domain/usage.ts";
