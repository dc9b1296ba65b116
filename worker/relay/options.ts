/** Whose accounts may serve a call, service by service: the model's name and the accounts' own lists decide. Pure. */
import type { DirectoryEntry } from "../domain/account.ts";
import { mapsModel } from "../domain/model-map.ts";
import { serviceOfModel } from "../domain/model-service.ts";
import type { Service } from "../domain/service.ts";
import { fitsAny } from "../domain/wildcard.ts";
import type { ProtocolId } from "../domain/protocol-id.ts";
import { PROVIDERS } from "../providers/index.ts";
import type { Provider } from "../providers/provider.ts";
import type { Call } from "./read-call.ts";

/** A service, and those of its accounts that the call can be put to. */
export interface Option {
  readonly service: Service;
  readonly suits: (account: DirectoryEntry) => boolean;
}

type Asked = Pick<Call, "service" | "onlyProvider" | "crosses"> & {
  readonly protocol: Pick<Call["protocol"], "id">;
  readonly key: Pick<Call["key"], "binding">;
};

/** Services whose accounts translated calls may go to. Droid's have paths of their own. */
const CROSSED: readonly Service[] = ["claude", "openai", "gemini"];

/** The dialect in which an account is asked; null: it cannot be asked this. */
export function spokenWith(
  { protocols }: Provider,
  { protocol, crosses }: Pick<Asked, "protocol" | "crosses">,
): ProtocolId | null {
  if (protocols.includes(protocol.id)) return protocol.id;
  return crosses === null ? null : (protocols[0] ?? null);
}

/** The service that is meant: the model's by its name, else the path's own. */
export const serviceMeant = (call: Pick<Asked, "service" | "crosses">, model: string): Service =>
  (call.crosses === "any_service" ? serviceOfModel(model) : null) ?? call.service;

/**
 * To be tried in this order. Where accounts of the path's own service name the model, they come first: somebody
 * entered it there. Then comes whose model it is by its name. Other services' accounts serve it if they name it,
 * or if the key is bound to them and the model could be anybody's.
 *
 * @param model after the redirections of key and group
 */
export function optionsFor(call: Asked, model: string): readonly Option[] {
  const own = call.service;
  const anyOf = optionOf(call, own, () => true);
  if (call.crosses !== "any_service") return [anyOf];
  const vendor = serviceOfModel(model);
  const named = (account: DirectoryEntry) => names(account, model);
  const others = CROSSED.filter((service) => service !== own && service !== vendor);
  if (vendor === null || vendor === own) {
    const isOpen = vendor === null && call.key.binding !== null;
    return [anyOf, ...others.map((service) => optionOf(call, service, isOpen ? () => true : named))];
  }
  return [
    optionOf(call, own, named),
    optionOf(call, vendor, () => true),
    ...others.map((service) => optionOf(call, service, named)),
    anyOf,
  ];
}

function optionOf(call: Asked, service: Service, accepts: Option["suits"]): Option {
  return {
    service,
    suits: (account) => {
      const provider = PROVIDERS.get(account.provider);
      return (
        provider !== undefined &&
        provider.service === service &&
        (call.onlyProvider === null || provider.id === call.onlyProvider) &&
        spokenWith(provider, call) !== null &&
        accepts(account)
      );
    },
  };
}

/** An account names a model by its list or its map. */
const names = ({ models, modelMap }: DirectoryEntry, model: string): boolean =>
  fitsAny(models, model) || mapsModel(modelMap, model);
