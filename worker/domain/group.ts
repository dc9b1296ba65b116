/** Groups: accounts that keys may be bound to, and how requests are spread over them. Pure. */
import { z } from "zod";
import { modelMapSchema } from "./model-map.ts";
import { nameSchema } from "./text.ts";

/**
 * How a group chooses among the accounts of its best tier:
 * - `rendezvous`: by a hash of the session and the weights; every session has its home, without asking anyone
 * - `least_loaded`: the less busy of two drawn at random by weight
 * - `least_recently_used`: the one that rested longest
 * - `weighted_random`: at random by weight
 *
 * A session stays where its first request went, whatever the policy.
 */
export const POLICIES = ["rendezvous", "least_loaded", "least_recently_used", "weighted_random"] as const;
export type Policy = (typeof POLICIES)[number];

export const groupSchema = z.object({
  name: nameSchema,
  policy: z.enum(POLICIES).default("rendezvous"),
  /** Which model the group's keys get where they ask for another; after the key's own map. */
  modelMap: modelMapSchema.default({}),
});
export type Group = Readonly<z.infer<typeof groupSchema>>;

/** The name under which the policy of the shared pool is kept: the accounts outside any group. */
export const SHARED_POOL = "*";
