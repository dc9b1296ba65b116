/**
 * A person's purse: the budget that all their keys draw on together, beside the budgets of their own. It is kept by
 * the same object as a key's, which only counts and books nothing. Pure.
 */
import type { KeyId, PersonId } from "./ids.ts";
import { keyConfigSchema, type KeyConfig } from "./key.ts";
import type { Person } from "./person.ts";

/** The name of a purse among the keys' objects. No key has it: keys are named by their own time and chance. */
export const purseOf = (person: PersonId): KeyId => `key_${person.slice("per_".length)}` as KeyId;

export const hasPurse = ({ dailyCost, weeklyCost, totalCost }: Person): boolean =>
  dailyCost > 0 || weeklyCost > 0 || totalCost > 0;

export const purseConfig = ({
  id,
  username,
  updatedAt,
  dailyCost,
  weeklyCost,
  totalCost,
}: Person): KeyConfig =>
  keyConfigSchema.parse({
    id: purseOf(id),
    name: username,
    booksUsage: false,
    ownerId: id,
    dailyCost,
    weeklyCost,
    totalCost,
    hint: "",
    createdAt: 0,
    updatedAt,
  });
