/** Every data-plane route there is, as a client would call it: read from the registry of protocols. */
import { PROTOCOLS } from "../../../worker/protocols/index.ts";
import type { Protocol, ProtocolRoute } from "../../../worker/protocols/protocol.ts";
import type { ProtocolId } from "../../../worker/domain/protocol-id.ts";
import type { Service } from "../../../worker/domain/service.ts";
import { PROVIDERS } from "../../../worker/providers/index.ts";
import { fetchRelay } from "../setup/relay.ts";
import { DIALECTS, type Dialect } from "./dialects.ts";

export interface SampleRoute {
  /** Where a client finds it. */
  readonly path: string;
  readonly protocol: Protocol;
  readonly dialect: Dialect;
  readonly service: Service;
  /** A provider whose accounts answer there. */
  readonly provider: string;
  /** The model that a call of it names: `""` where it names none. */
  readonly model: string;
  readonly body: string;
}

/** What only some routes of a dialect ask for. */
const EXTRAS: Partial<Record<ProtocolId, Readonly<Record<string, unknown>>>> = {
  "openai-chat": { input: "Hello", prompt: "Hello" },
};

function bodyOf(protocol: ProtocolId, path: string, model: string): string {
  const body = { ...DIALECTS[protocol][0].body("Hello", false), ...EXTRAS[protocol] };
  const named = "model" in body ? { ...body, model } : body;
  const isEnvelope = path.includes("v1internal:");
  return JSON.stringify(isEnvelope ? { model, request: { ...named, model: `models/${model}` } } : named);
}

/** `/v1beta/models/:call{[^/]+:countTokens}` with a model in the place of what is left open. */
const concrete = (path: string, model: string): string =>
  path.replace(/:\w+\{(.+?)\}$/, (_, pattern: string) => pattern.replace("[^/]+", model));

function providerOf(protocol: Protocol, route: ProtocolRoute): string {
  if (route.provider !== undefined) return route.provider;
  const service = route.service ?? protocol.service;
  const ofService = [...PROVIDERS.values()].filter((each) => each.service === service);
  const native = ofService.find((each) => each.protocols.includes(protocol.id));
  const provider = native ?? (route.crosses === undefined ? undefined : ofService[0]);
  if (provider === undefined) throw new Error(`no provider answers ${route.path}`);
  return provider.id;
}

/** The route's call of this model. */
export function sampleOf(
  protocol: Protocol,
  route: ProtocolRoute,
  { prefix, model }: { readonly prefix: string; readonly model: string },
): SampleRoute {
  const path = concrete(route.path, model);
  const body = bodyOf(protocol.id, path, model);
  const call = { body: new TextEncoder().encode(body), headers: new Headers(), path, query: "" };
  return {
    path: `${prefix}${path}`,
    protocol,
    dialect: DIALECTS[protocol.id][0],
    service: route.service ?? protocol.service,
    provider: providerOf(protocol, route),
    model: protocol.parse(call).model,
    body,
  };
}

/** A route whose upstream has no such call refuses everybody alike. */
const isServed = ({ refusal }: ProtocolRoute) => refusal === undefined;

/** All routes; the model is that of their dialect, or the one named. */
export const sampleRoutes = (model?: string): readonly SampleRoute[] =>
  Object.values<Protocol>(PROTOCOLS).flatMap((protocol) =>
    protocol.routes
      .filter(isServed)
      .flatMap((route) =>
        (route.prefixes ?? protocol.prefixes).map((prefix) =>
          sampleOf(protocol, route, { prefix, model: model ?? DIALECTS[protocol.id][0].model }),
        ),
      ),
  );

export interface SampleList {
  readonly path: string;
  readonly prefix: string;
  readonly service: Service;
  readonly dialect: Dialect;
}

/** All lists of models. */
export const sampleLists = (): readonly SampleList[] =>
  Object.values<Protocol>(PROTOCOLS).flatMap((protocol) =>
    protocol.modelLists.flatMap((list) =>
      (list.prefixes ?? protocol.prefixes).map((prefix) => ({
        path: `${prefix}${list.path}`,
        prefix,
        service: list.service ?? protocol.service,
        dialect: DIALECTS[protocol.id][0],
      })),
    ),
  );

export const ask = (key: { readonly key: string }, { path, body }: SampleRoute): Promise<Response> =>
  fetchRelay(path, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key.key}` },
    body,
  });
