/** How a request found its account: the story that an admin can read by its id. Pure. */
import { z } from "zod";
import { accountIdSchema } from "./ids.ts";

const account = accountIdSchema;

const stepSchema = z.discriminatedUnion("kind", [
  /** It waited in its key's queue. */
  z.object({ kind: z.literal("queued"), waitedMs: z.number() }),
  /** Its key or group has it served by another model than the client asked for. */
  z.object({ kind: z.literal("redirected"), model: z.string() }),
  /** Its account speaks another dialect, which has no word for what is left out. */
  z.object({ kind: z.literal("translated"), account, protocol: z.string(), omitted: z.array(z.string()) }),
  /** An account's object, or what this place remembered of it, said no. */
  z.object({
    kind: z.literal("refused"),
    account,
    reason: z.string(),
    retryAt: z.number().nullable(),
    remembered: z.boolean(),
  }),
  /** The session's home said where the session lives. */
  z.object({ kind: z.literal("moved"), account }),
  /** The session's account rested for a moment only, so the request waited for it. */
  z.object({ kind: z.literal("stayed"), account, waitedMs: z.number() }),
  /** A lease was granted, perhaps after a wait in the account's queue. */
  z.object({ kind: z.literal("leased"), account, model: z.string(), waitedMs: z.number() }),
  /** The upstream's answer sent the request to another account. */
  z.object({ kind: z.literal("failed"), account, reason: z.string(), message: z.string() }),
  /** A credential was refused, and a fresh one tried. */
  z.object({ kind: z.literal("refreshed"), account }),
  /** Parts of the conversation that only another account could read were left out. */
  z.object({ kind: z.literal("repaired"), account, removed: z.string() }),
  /** The session stays with this account from now on. */
  z.object({ kind: z.literal("handed_over"), account }),
]);
export type RoutingStep = Readonly<z.infer<typeof stepSchema>>;

export const routingSchema = z.object({
  /** In the order of their rank; only the first few. */
  candidates: z.array(account),
  candidatesTotal: z.number(),
  home: account.nullable(),
  steps: z.array(stepSchema),
});
export type Routing = Readonly<z.infer<typeof routingSchema>>;
