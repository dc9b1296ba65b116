/** The accounts and groups that a key can be bound to. Pure. */
import type { AccountView } from "$lib/domain";

export interface BindingChoices {
  readonly accounts: readonly { readonly id: string; readonly name: string }[];
  readonly groups: readonly string[];
}

export function bindingChoices(accounts: readonly AccountView[]): BindingChoices {
  const groups = new Set(accounts.flatMap((account) => account.groups));
  return { accounts: accounts.map(({ id, name }) => ({ id, name })), groups: [...groups].sort() };
}
