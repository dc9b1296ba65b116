/** Brings the price table up to date from the public list; what looks wrong leaves the one in force where it is. */
import { z } from "zod";
import { toHex } from "../domain/encoding.ts";
import type { EpochMs } from "../domain/ids.ts";
import { cutLine } from "../domain/notice.ts";
import { priceTableSchema } from "../domain/price-table.ts";
import type { Env } from "../env.ts";
import { systemError } from "../notify/system-error.ts";
import { tell } from "../notify/tell.ts";
import { modelsFrom } from "../pricing/convert.ts";
import { listInForce } from "../pricing/in-force.ts";
import { parsePublicList } from "../pricing/public-list.ts";
import { whyRefused } from "../pricing/sanity.ts";
import { PRICE_TABLE, type PricedModel, type PriceTable } from "../pricing/table.ts";
import { alone, type Commit } from "../storage/commit.ts";
import {
  claimTelling,
  putPriceList,
  readPriceList,
  saveFailure,
  saveFetched,
} from "../storage/price-list.ts";
import type { SnapshotContext } from "../storage/snapshots.ts";
import { download, type DownloadOptions } from "./download.ts";

const ERROR_LENGTH_MAX = 300;
const HASH_BYTES = 4;

export type Refreshed =
  | { readonly kind: "changed" | "unchanged"; readonly version: string }
  /** Nothing usable came. */
  | { readonly kind: "failed"; readonly error: string }
  /** What came would have changed prices in a way that needs a person. */
  | { readonly kind: "refused"; readonly error: string };

/** What the list makes of the table. @throws Error that says why it makes none */
async function tableFrom(value: unknown, now: EpochMs): Promise<PriceTable> {
  const models = modelsFrom(parsePublicList(value));
  const day = new Date(now).toISOString().slice(0, 10);
  return priceTableSchema.parse({ version: `genai-prices-${day}+${await hashOf(models)}`, models });
}

async function hashOf(models: readonly PricedModel[]): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(models)));
  return toHex(new Uint8Array(digest, 0, HASH_BYTES));
}

const contentOf = ({ version }: PriceTable) => version.slice(version.lastIndexOf("+"));

function wordsOf(error: unknown): string {
  if (error instanceof z.ZodError) {
    const [first] = error.issues;
    return cutLine(
      `It has another form: ${first?.path.join(".") ?? ""}: ${first?.message ?? ""}`,
      ERROR_LENGTH_MAX,
    );
  }
  return cutLine(error instanceof Error ? error.message : String(error), ERROR_LENGTH_MAX);
}

export interface RefreshContext extends SnapshotContext {
  readonly env: Env;
  readonly timeoutMs?: DownloadOptions["timeoutMs"];
}

/** What became of a try; nothing is saved yet. */
async function attempt(
  { env, now, timeoutMs }: RefreshContext,
  inForce: PriceTable,
): Promise<{ readonly refreshed: Refreshed; readonly table: PriceTable | null }> {
  let table: PriceTable;
  try {
    const limits = timeoutMs === undefined ? {} : { timeoutMs };
    const options = { allowPrivate: env.ALLOW_PRIVATE_UPSTREAMS, ...limits };
    table = await tableFrom(await download(env.PRICES_URL, options), now);
  } catch (error) {
    return { refreshed: { kind: "failed", error: wordsOf(error) }, table: null };
  }
  // Of the bundled one, too: a price that creeps up day by day is one that jumps.
  const error = whyRefused(table, inForce) ?? whyRefused(table, PRICE_TABLE);
  if (error !== null) return { refreshed: { kind: "refused", error }, table: null };
  if (contentOf(table) === contentOf(inForce)) {
    return { refreshed: { kind: "unchanged", version: inForce.version }, table: null };
  }
  return { refreshed: { kind: "changed", version: table.version }, table };
}

/**
 * Tries once, whatever was tried before.
 *
 * @param commitOf makes the change's commit once it is known what came
 */
export async function refreshPrices(
  context: RefreshContext,
  commitOf: (refreshed: Refreshed) => Commit = () => alone(context.env.DB),
): Promise<Refreshed> {
  const { env, now } = context;
  const { list } = await readPriceList(env.DB);
  const { refreshed, table } = await attempt(context, listInForce(list));
  const commit = commitOf(refreshed);
  if (refreshed.kind === "failed" || refreshed.kind === "refused") {
    await saveFailure(env.DB, refreshed.error, now, commit);
    if (refreshed.kind === "refused") await tellOnce(context, refreshed.error);
    return refreshed;
  }
  await saveFetched(env.DB, table === null ? null : { table, bundle: PRICE_TABLE.version }, now, commit);
  if (table !== null) await putPriceList((await readPriceList(env.DB)).list, context);
  return refreshed;
}

async function tellOnce({ env, now }: RefreshContext, error: string): Promise<void> {
  if (!(await claimTelling(env.DB, error))) return;
  const lines = [
    `The list of prices at PRICES_URL was refused: ${error}`,
    "The prices in force stay. Look at it, and set a price of your own with PUT /admin/prices/<model> where it is right.",
  ];
  await tell(env, [systemError("refreshing the prices", lines, now)]);
}
