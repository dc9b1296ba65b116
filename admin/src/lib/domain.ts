/** Everything the admin takes from the worker's domain: types, and the schemas its forms are checked with. */
export { accountInputSchema, accountPatchSchema } from "../../../worker/domain/account.ts";
export type { AccountInput, AccountPatch, AccountView } from "../../../worker/domain/account.ts";
export type { Availability, Cooldown, CooldownReason, LimitWindow } from "../../../worker/domain/cooldown.ts";
export { keyFieldsSchema, keyInputSchema } from "../../../worker/domain/key.ts";
export type { KeyInput, KeyPatch, KeyView, LimitStatus } from "../../../worker/domain/key.ts";
export type { LimitId } from "../../../worker/domain/key-limits.ts";
export type { ClientId } from "../../../worker/domain/client-identity.ts";
export type { Service } from "../../../worker/domain/service.ts";
export type { EpochMs } from "../../../worker/domain/ids.ts";
export type { NanoDollars } from "../../../worker/domain/money.ts";
export type { Outcome, TokenUsage, UsageRecord } from "../../../worker/domain/usage.ts";
