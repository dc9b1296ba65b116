/**
 * Paths that claude-relay-service documents, for scripts that were written for it. An alias asks the same routes as
 * anybody, with the caller's own headers, so it can do nothing that they cannot, and forgets no check.
 */
import type { z } from "zod";

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

/** Asks a route of the admin API in the caller's name. @throws RelayError what that route throws */
export type Ask = <Schema extends z.ZodType>(
  answer: Schema,
  method: Method,
  path: string,
  body?: unknown,
) => Promise<z.output<Schema>>;

export interface Asked<Body> {
  readonly ask: Ask;
  /** Of the path, encoded for another one. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Body;
}

/** What stands beside `success: true`. */
export type Reply = Readonly<Record<string, unknown>>;

export interface Alias {
  readonly method: Method;
  readonly path: string;
  /** The route that it stands for, as the document names it. */
  readonly like: string;
  readonly body: z.ZodType | null;
  run(asked: Asked<unknown>): Promise<Reply>;
}

interface AliasSpec<Schema extends z.ZodType> {
  readonly method: Method;
  readonly path: string;
  readonly like: string;
  readonly body?: Schema;
  readonly run: (asked: Asked<z.output<Schema>>) => Promise<Reply>;
}

/** Ties the body that `run` gets to the schema that it is parsed with. */
export function alias<Schema extends z.ZodType>({ body, run, ...rest }: AliasSpec<Schema>): Alias {
  return {
    ...rest,
    body: body ?? null,
    run: (asked) => run(asked as Asked<z.output<Schema>>),
  };
}

/** An object both ways: below `data`, where old scripts look, and beside it, as the route itself answers. */
export const single = (value: object): Reply => ({ ...value, data: value });

/** A time as old scripts read it. */
export const isoTime = (at: number | null): string | null =>
  at === null ? null : new Date(at).toISOString();

/** What was given, without what was not: an absent field of a change stays as it is. */
export const given = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));

/** `page` and `pageSize` of old lists. */
export function pageQuery(query: URLSearchParams): URLSearchParams {
  const asked = new URLSearchParams({ page: query.get("page") ?? "1" });
  asked.set("limit", query.get("pageSize") ?? query.get("limit") ?? "50");
  return asked;
}
