/** What an upstream says an account has left: money, or shares of its windows. Pure. */
import { z } from "zod";

const amountSchema = z.object({
  currency: z.string(),
  /** In the currency's units; what can still be spent. */
  remaining: z.number(),
});

export const balanceSchema = z.object({
  amounts: z.array(amountSchema),
  windows: z.array(
    z.object({
      id: z.string(),
      /** Share used, 0 to 1. */
      utilization: z.number(),
      resetAt: z.number().nullable(),
    }),
  ),
});
export type Balance = Readonly<z.infer<typeof balanceSchema>>;

/** `balance` is the last that is known, of the time `at`; `error` says why a fresh one could not be had. */
export const balanceAnswerSchema = z.discriminatedUnion("supported", [
  z.object({ supported: z.literal(false) }),
  z.object({
    supported: z.literal(true),
    balance: balanceSchema.nullable(),
    at: z.number().nullable(),
    error: z.string().nullable(),
  }),
]);
export type BalanceAnswer = Readonly<z.infer<typeof balanceAnswerSchema>>;
