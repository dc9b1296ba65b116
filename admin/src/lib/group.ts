/** A group as its page shows it. Pure. */
import type { GroupView } from "./api";
import { SHARED_POOL, type Policy } from "./domain";
import { modelMapText } from "./model-map";

interface Named {
  readonly id: string;
  readonly name: string;
}

export interface GroupShown {
  readonly name: string;
  readonly title: string;
  /** The accounts outside any group. */
  readonly isShared: boolean;
  readonly policy: Policy;
  /** As lines of `requested = used`. */
  readonly modelMap: string;
  readonly accounts: readonly Named[];
}

export const titleOf = (name: string): string => (name === SHARED_POOL ? "Shared accounts" : name);

/** An account that is not among those given is known by its id alone. */
export function groupShown(group: GroupView, accounts: readonly Named[]): GroupShown {
  const names = new Map<string, string>(accounts.map(({ id, name }) => [id, name]));
  return {
    name: group.name,
    title: titleOf(group.name),
    isShared: group.name === SHARED_POOL,
    policy: group.policy,
    modelMap: modelMapText(group.modelMap),
    accounts: group.accounts.map((id) => ({ id, name: names.get(id) ?? id })),
  };
}
