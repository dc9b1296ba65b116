/** Which models a key may really use: those its accounts name, else those that the price list has of their vendors. */
import type { Directory, DirectoryEntry } from "../domain/account.ts";
import { allowsModel } from "../domain/key-limits.ts";
import type { KeyConfig, KeySnapshot } from "../domain/key.ts";
import type { ProtocolId } from "../domain/protocol-id.ts";
import { knownModels } from "../pricing/known-models.ts";
import { PRICE_TABLE } from "../pricing/table.ts";
import type { Service } from "../domain/service.ts";
import type { OfferedModel } from "../protocols/protocol.ts";
import { PROVIDERS } from "../providers/index.ts";
import type { Provider } from "../providers/provider.ts";
import { isBound, serves } from "./schedule.ts";

export interface Asker {
  readonly key: Pick<KeySnapshot, "binding" | "bindingFallback">;
  readonly limits: Pick<KeyConfig, "allowedModels" | "blockedModels" | "permissions">;
}

const KNOWN = knownModels(PRICE_TABLE);

/** Where models may be used: in a dialect, by keys that may use a service. */
export interface Place {
  readonly id: ProtocolId;
  readonly service: Service;
}

export function offeredModels(
  directory: Directory,
  { key, limits }: Asker,
  places: readonly Place[],
): OfferedModel[] {
  const offered = new Map<string, OfferedModel>();
  for (const account of directory.accounts) {
    const provider = PROVIDERS.get(account.provider);
    if (provider === undefined || !isUsable(account, key) || !isReached(provider, limits, places)) continue;
    for (const model of modelsOf(account, provider)) {
      if (allowsModel(limits, model.id)) offered.set(model.id, model);
    }
  }
  // In the order of the price list, the newest first; what only accounts name comes behind.
  const rank = new Map(KNOWN.map(({ id }, index) => [id, index]));
  return [...offered.values()].sort(
    (a, b) => (rank.get(a.id) ?? KNOWN.length) - (rank.get(b.id) ?? KNOWN.length),
  );
}

// Only of the key's own accounts: what other groups have is not its business.
const isUsable = (account: DirectoryEntry, key: Asker["key"]): boolean =>
  account.enabled && (isBound(account, key.binding) || (key.bindingFallback && isBound(account, null)));

const isReached = (provider: Provider, limits: Asker["limits"], places: readonly Place[]): boolean =>
  places.some(({ id, service }) => provider.protocols.includes(id) && provider.service === service) &&
  (limits.permissions.length === 0 || limits.permissions.includes(provider.service));

function modelsOf(account: DirectoryEntry, { vendor }: Provider): OfferedModel[] {
  const known = KNOWN.filter((model) => model.vendor === vendor);
  const named = [...account.models, ...Object.keys(account.modelMap)].filter((name) => !name.includes("*"));
  return [
    ...known.filter(({ id }) => serves(account, id)),
    ...named.map((id) => KNOWN.find((model) => model.id === id) ?? { id, name: id }),
  ];
}
