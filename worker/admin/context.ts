/** What the admin API's handlers share: their environment, errors as JSON, and input parsed at the door. */
import type { Context } from "hono";
import { createMiddleware } from "hono/factory";
import { validator } from "hono/validator";
import { z } from "zod";
import { RelayError } from "../domain/errors.ts";
import type { EpochMs } from "../domain/ids.ts";
import { parseJson } from "../domain/json.ts";
import type { Person } from "../domain/person.ts";
import type { Settings } from "../domain/settings.ts";
import { WARRANT_MS, type StandsMs } from "../domain/warrant.ts";
import { settingDefaults, type Env } from "../env.ts";
import { withFact } from "../api-document/route-facts.ts";
import { readDirectory } from "../storage/accounts.ts";
import { putDirectory, type SnapshotContext } from "../storage/snapshots.ts";
import { readSettingsInForce } from "../storage/settings.ts";

export interface AdminEnv {
  Bindings: Env;
  Variables: {
    /** Who is signed in. */
    readonly person: Person;
    /** Their session's id. */
    readonly session: string;
    /** In force. */
    readonly settings: Settings;
    /** When what was changed holds everywhere; absent: at once. */
    readonly holdsAt?: EpochMs;
  };
}

export const snapshotsOf = (context: Context<AdminEnv>): SnapshotContext => ({
  kv: context.env.KV,
  now: Date.now(),
  waitUntil: (work) => {
    context.executionCtx.waitUntil(work);
  },
});

/** Every isolate learns of a change from the directory; this one at once. */
export async function publishDirectory(context: Context<AdminEnv>): Promise<void> {
  await putDirectory(await readDirectory(context.env.DB), snapshotsOf(context));
}

/** Gives every handler the settings in force: by D1's own word, since who may come in depends on them. */
export const withSettings = createMiddleware<AdminEnv>(async ({ env, set }, next) => {
  set("settings", await readSettingsInForce(env.DB, settingDefaults(env)));
  await next();
});

/** Says of a change for how long some isolates may go by what was before it. */
export function holdsAfter(context: Context<AdminEnv>, standsMs: StandsMs): void {
  context.set("holdsAt", Math.max(context.get("holdsAt") ?? 0, Date.now() + standsMs));
}

/** Whoever changes something is answered when the change holds everywhere: once for all that the call has changed. */
export const untilItHolds = createMiddleware<AdminEnv>(async (context, next) => {
  await next();
  const leftMs = Math.min(WARRANT_MS, (context.get("holdsAt") ?? 0) - Date.now());
  if (leftMs > 0) await scheduler.wait(leftMs);
});

/** The client's, as the edge saw it. */
export const addressOf = (context: Context<AdminEnv>): string =>
  context.req.header("cf-connecting-ip") ?? "unknown";

const describe = (error: z.ZodError): string =>
  error.issues
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`))
    .slice(0, 10)
    .join("; ");

function parsed<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const result = schema.safeParse(value);
  if (!result.success) throw new RelayError("invalid_request", describe(result.error));
  return result.data;
}

/** Parses the JSON body with a schema; what comes out is what the handler gets, and what a client must send. */
export const body = <Schema extends z.ZodType>(schema: Schema) =>
  withFact(
    validator("json", (value): z.output<Schema> => parsed(schema, value)),
    { kind: "body", schema },
  );

/** The same for a body whose every field may be left out: then the body may, too. */
export const optionalBody = <Schema extends z.ZodType<object>>(schema: Schema) =>
  withFact(
    createMiddleware<AdminEnv, string, { in: { json?: z.input<Schema> }; out: { json: z.output<Schema> } }>(
      async (context, next) => {
        const text = await context.req.text();
        context.req.addValidatedData("json", parsed(schema, text.trim() === "" ? {} : parseJson(text)));
        await next();
      },
    ),
    { kind: "body", schema },
  );

export const query = <Schema extends z.ZodType>(schema: Schema) =>
  withFact(
    validator("query", (value): z.output<Schema> => parsed(schema, value)),
    { kind: "query", schema },
  );

/** A path parameter that is an id; a malformed one is as unknown as any other. */
export function idParam<Schema extends z.ZodType>(schema: Schema, value: string): z.output<Schema> {
  const result = schema.safeParse(value);
  if (!result.success) throw notFound();
  return result.data;
}

export const notFound = () => new RelayError("not_found", "There is no such object.");

const PAGE_SIZE_MAX = 200;

export const pageSchema = z.object({
  page: z.coerce.number().int().min(1).max(100_000).default(1),
  limit: z.coerce.number().int().min(1).max(PAGE_SIZE_MAX).default(50),
});

export const offsetOf = ({ page, limit }: z.output<typeof pageSchema>) => ({
  limit,
  offset: (page - 1) * limit,
});
