/** The admin API's OpenAPI 3.1 document, made of the routes themselves. */
import { z } from "zod";
import { invariant, ERROR_STATUS, type RelayErrorCode } from "../domain/errors.ts";
import { ROLES, type Role } from "../domain/person.ts";
import { VERSION } from "../domain/version.ts";
import { factOf, type Answer, type RouteFact } from "./route-facts.ts";
import { jsonSchemas, type JsonSchema } from "./json-schemas.ts";

/** A route as Hono keeps it: one for each of its handlers. */
interface RegisteredHandler {
  readonly method: string;
  readonly path: string;
  readonly handler: object;
}

type Fact<Kind extends RouteFact["kind"]> = Extract<RouteFact, { readonly kind: Kind }>;

/** One route with all that is known of it. */
export interface Route {
  readonly method: string;
  /** As Hono writes it, with `:id`. */
  readonly path: string;
  readonly facts: readonly RouteFact[];
  /** null: anybody may. */
  readonly role: Role | null;
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly security: readonly object[];
  readonly "x-role": Role | null;
  readonly parameters: readonly Parameter[];
  readonly requestBody?: { readonly required: true; readonly content: Content };
  readonly responses: Readonly<Record<string, Response>>;
}

interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly required: boolean;
  readonly schema: JsonSchema;
}
type Content = Readonly<Record<string, { readonly schema: JsonSchema }>>;
interface Response {
  readonly description: string;
  readonly content?: Content;
}

const EVERY_METHOD = "ALL";

const isBelow = (pattern: string, path: string): boolean => {
  const place = pattern.replace(/\/?\*$/, "");
  return path === place || path.startsWith(`${place}/`);
};

const mostOf = (roles: readonly Role[]): Role | null =>
  ROLES.findLast((role) => roles.includes(role)) ?? null;

/** Routes in their order; a guard holds for what is registered after it. */
export function routesOf(handlers: readonly RegisteredHandler[]): Route[] {
  const guards: { readonly path: string; readonly fact: Fact<"guard"> }[] = [];
  const routes = new Map<string, Route>();
  for (const { method, path, handler } of handlers) {
    const fact = factOf(handler);
    if (method === EVERY_METHOD) {
      if (fact?.kind === "guard") guards.push({ path, fact });
      continue;
    }
    const name = `${method} ${path}`;
    const above = guards.filter((guard) => isBelow(guard.path, path)).map((guard) => guard.fact);
    const known = routes.get(name)?.facts ?? above;
    const facts = fact === undefined ? known : [...known, fact];
    const roles = facts.flatMap((each) => (each.kind === "guard" ? [each.role(method)] : []));
    routes.set(name, { method, path: path.replace(/(:\w+)\{[^}]*\}/g, "$1"), facts, role: mostOf(roles) });
  }
  return [...routes.values()];
}

export function factsOfKind<Kind extends RouteFact["kind"]>(route: Route, kind: Kind): Fact<Kind>[] {
  return route.facts.filter((fact): fact is Fact<Kind> => fact.kind === kind);
}

const parametersIn = (path: string) => [...path.matchAll(/:(\w+)/g)].map(([, name = ""]) => name);

/** What a parameter may look like is no part of a path there: `:model{.+}` is `{model}`. */
const pathOf = (path: string): string => path.replace(/:(\w+)(\{[^}]*\})?/g, "{$1}");

/** Below `/admin` there is a tag for each resource; people's own paths are one. */
const tagOf = (path: string): string => path.replace(/^\/admin\//, "/").split("/")[1] ?? "";

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `patchAccountsById` for `PATCH /admin/accounts/:id`. */
const operationIdOf = ({ method, path }: Route): string =>
  method.toLowerCase() +
  path
    .replace(/^\/admin(?=\/)/, "")
    .split(/[/.-]/)
    .map((part) => (part.startsWith(":") ? `By${capital(part.slice(1))}` : capital(part)))
    .join("");

function errorCodesOf(route: Route, own: readonly RelayErrorCode[]): RelayErrorCode[] {
  const codes = new Set<RelayErrorCode>(own);
  if (route.role !== null || needsKey(route)) codes.add("unauthenticated");
  if (route.role !== null && route.role !== "user") codes.add("permission_denied");
  if (parametersIn(route.path).length > 0) codes.add("not_found");
  if (route.facts.some(({ kind }) => kind === "body" || kind === "query")) codes.add("invalid_request");
  return [...codes];
}

const ERROR_CONTENT: Content = {
  "application/json": { schema: { $ref: "#/components/schemas/Error" } },
};

function errorResponses(codes: readonly RelayErrorCode[]): Record<string, Response> {
  const byStatus = Object.groupBy(codes, (code) => ERROR_STATUS[code]);
  const responses = Object.entries(byStatus).map(([status, those = []]) => [
    status,
    { description: those.map((code) => `\`${code}\``).join(", "), content: ERROR_CONTENT },
  ]);
  return Object.fromEntries(responses) as Record<string, Response>;
}

type ToJson = ReturnType<typeof jsonSchemas>;

function answerResponse(answer: Answer, toJson: ToJson): Response {
  if (answer === null) return { description: "Done." };
  if (typeof answer === "string") {
    return { description: "As asked.", content: { [answer]: { schema: { type: "string" } } } };
  }
  return {
    description: "As asked.",
    content: { "application/json": { schema: toJson.convert(answer, "output") } },
  };
}

function queryParameters(route: Route, toJson: ToJson): Parameter[] {
  return factsOfKind(route, "query").flatMap(({ schema }) => {
    const { properties = {}, required = [] } = toJson.convert(schema, "input");
    return Object.entries(properties).map(([name, property]): Parameter => {
      return { name, in: "query", required: required.includes(name), schema: property };
    });
  });
}

const needsKey = (route: Route): boolean => factsOfKind(route, "key").length > 0;

function describeGuard(route: Route): string {
  if (needsKey(route)) return "Needs a relay key, which it is about.";
  return route.role === null
    ? "Needs no sign-in."
    : `Needs the role \`${route.role}\`, or one that may do more.`;
}

function securityOf(route: Route): readonly object[] {
  if (needsKey(route)) return [{ key: [] }];
  return route.role === null ? [] : [{ token: [] }, { cookie: [] }];
}

function operationOf(route: Route, toJson: ToJson): Operation {
  const [said] = factsOfKind(route, "documented");
  invariant(said !== undefined, `${route.method} ${route.path} is not documented`);
  const [sent] = factsOfKind(route, "body");
  const pathParameters = parametersIn(route.path).map((name): Parameter => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const answers = Object.entries(said.answers).map(([status, answer]) => [
    status,
    answerResponse(answer, toJson),
  ]);
  return {
    operationId: operationIdOf(route),
    summary: said.summary,
    description: describeGuard(route),
    tags: [tagOf(route.path)],
    security: securityOf(route),
    "x-role": route.role,
    parameters: [...pathParameters, ...queryParameters(route, toJson)],
    ...(sent === undefined
      ? {}
      : {
          requestBody: {
            required: true as const,
            content: { "application/json": { schema: toJson.convert(sent.schema, "input") } },
          },
        }),
    responses: {
      ...(Object.fromEntries(answers) as Record<string, Response>),
      ...errorResponses(errorCodesOf(route, said.errors)),
    },
  };
}

const errorSchema = z.object({
  error: z.object({ code: z.string(), message: z.string(), requestId: z.string() }),
});

/** @throws when a route is not documented */
export function apiDocument(handlers: readonly RegisteredHandler[]) {
  const toJson = jsonSchemas();
  const routes = routesOf(handlers);
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of routes) {
    const path = pathOf(route.path);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operationOf(route, toJson) };
  }
  const tags = [...new Set(routes.map(({ path }) => tagOf(path)))].sort();
  return {
    openapi: "3.1.1",
    info: {
      title: "edge-relay admin API",
      version: VERSION,
      description:
        "Times are in ms since the epoch, costs in nano-dollars (1e-9 US dollars). Lists are pages of `items` with " +
        "the `total` of all pages.",
    },
    servers: [{ url: "/", description: "This relay." }],
    tags: tags.map((name) => ({ name, description: `Everything about ${name}.` })),
    paths,
    components: {
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "From `POST /admin/login`." },
        key: { type: "http", scheme: "bearer", description: "A relay key; `x-api-key` will do, too." },
        cookie: {
          type: "apiKey",
          in: "cookie",
          name: "relay_session",
          description: "Changes also need to come from a page of this host.",
        },
      },
      schemas: { Error: toJson.convert(errorSchema, "output"), ...toJson.named() },
    },
  } as const;
}

export type ApiDocument = ReturnType<typeof apiDocument>;
