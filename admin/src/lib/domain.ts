/** Everything the admin takes from the worker's domain: types, and the schemas its forms are checked with. */
export { accountInputSchema, accountPatchSchema } from "../../../worker/domain/account.ts";
export type {
  AccountInput,
  AccountPatch,
  AccountView,
} from "../../../worker/domain/account.ts";
export type { Availability, Cooldown, CooldownReason } from "../../../worker/domain/cooldown.ts";
export { keyInputSchema } from "../../../worker/domain/key.ts";
export type { KeyInput, KeyPatch, KeyView } from "../../../worker/domain/key.ts";
export type { EpochMs } from "../../../worker/domain/ids.ts";
export type { NanoDollars } from "../../../worker/domain/money.ts";
export type { Outcome, TokenUsage, UsageRecord } from "../../../worker/domain/usage.ts";
