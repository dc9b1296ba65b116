/** What a route's handlers say of themselves, so that the API's document is made of the code that runs. */
import { createMiddleware } from "hono/factory";
import type { MiddlewareHandler } from "hono";
import type { z } from "zod";
import type { RelayErrorCode } from "../domain/errors.ts";
import type { Role } from "../domain/person.ts";

/** What comes back: JSON by its schema, another media type by its name, or nothing. */
export type Answer = z.ZodType | string | null;

export type RouteFact =
  | { readonly kind: "body"; readonly schema: z.ZodType }
  | { readonly kind: "query"; readonly schema: z.ZodType }
  /** Lets pass only whoever holds a relay key. */
  | { readonly kind: "key" }
  /** Lets pass only whoever has this role. */
  | { readonly kind: "guard"; readonly role: (method: string) => Role }
  | {
      readonly kind: "documented";
      readonly summary: string;
      readonly answers: Readonly<Record<number, Answer>>;
      readonly errors: readonly RelayErrorCode[];
    };

const facts = new WeakMap<object, RouteFact>();

export function withFact<Handler extends object>(handler: Handler, fact: RouteFact): Handler {
  facts.set(handler, fact);
  return handler;
}

export const factOf = (handler: object): RouteFact | undefined => facts.get(handler);

/**
 * Documents a route, in front of its other handlers. What its guards, its path and its validators imply (role,
 * parameters, body, the errors of all of these) is known without being said.
 *
 * @param answers by status
 * @param errors that this route has besides those
 *
 * @example .get("/:id", documented("Shows a key.", { 200: keyAnswer }), …)
 */
export function documented(
  summary: string,
  answers: Readonly<Record<number, Answer>>,
  errors: readonly RelayErrorCode[] = [],
): MiddlewareHandler {
  const pass = createMiddleware(async (_context, next) => {
    await next();
  });
  return withFact(pass, { kind: "documented", summary, answers, errors });
}
