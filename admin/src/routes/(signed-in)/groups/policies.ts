/** How a group may choose among its accounts, in words. Pure. */
import type { Policy } from "$lib/domain";

interface PolicyText {
  readonly label: string;
  readonly meaning: string;
}

const TEXTS = {
  rendezvous: {
    label: "By session",
    meaning:
      "Each session always finds the same account, without asking anyone; more weight draws more sessions.",
  },
  least_loaded: {
    label: "Least busy",
    meaning: "Two accounts are drawn at random by weight; the less busy one gets the session.",
  },
  least_recently_used: {
    label: "Longest idle",
    meaning: "The account that has rested longest gets the session.",
  },
  weighted_random: {
    label: "At random",
    meaning: "An account is drawn at random; more often with more weight.",
  },
} as const satisfies Record<Policy, PolicyText>;

export const POLICY_TEXTS = Object.entries(TEXTS).map(([id, text]) => ({ id, ...text }));
