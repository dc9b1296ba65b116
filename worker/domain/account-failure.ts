/** What went wrong with an account, as people may read it afterwards: no secret and no prompt is in it. Pure. */
import { z } from "zod";
import { PROTECTED_REASONS } from "./cooldown.ts";
import { requestIdSchema } from "./ids.ts";

export const FAILURE_KINDS = [
  ...PROTECTED_REASONS,
  /** The upstream closed the account. */
  "disabled",
  /** Its token could not be renewed. */
  "refresh",
] as const;

export const accountFailureSchema = z.object({
  at: z.number(),
  kind: z.enum(FAILURE_KINDS),
  /** The upstream's HTTP status; null: it gave no answer. */
  status: z.number().nullable(),
  /** As it was asked for upstream; null: no model was. */
  model: z.string().nullable(),
  requestId: requestIdSchema.nullable(),
  /** What the upstream said, or what became of the call; at most 300 characters. */
  message: z.string(),
});
export type AccountFailure = Readonly<z.infer<typeof accountFailureSchema>>;
