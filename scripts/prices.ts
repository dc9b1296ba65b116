/**
 * Writes worker/pricing/table.json from the list prices bundled in @pydantic/genai-prices, completed by what the
 * vendors publish and the library leaves out. Run it after each update of the library: `node scripts/prices.ts`.
 */
import { createHash } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { findProvider } from "@pydantic/genai-prices";
import { format, resolveConfig } from "prettier";
import { z } from "zod";
import { modelsFrom, unlisted, unreadPrices } from "../worker/pricing/convert.ts";
import { parsePublicList } from "../worker/pricing/public-list.ts";
import { SOURCES } from "../worker/pricing/sources.ts";
import type { PriceTable } from "../worker/domain/price-table.ts";

const TABLE = fileURLToPath(new URL("../worker/pricing/table.json", import.meta.url));

async function libraryVersion(): Promise<string> {
  const manifest = new URL("../package.json", import.meta.resolve("@pydantic/genai-prices"));
  return z.object({ version: z.string() }).parse(JSON.parse(await readFile(manifest, "utf8"))).version;
}

const list = parsePublicList(
  SOURCES.map(({ provider }) => findProvider({ providerId: provider })).filter(
    (found) => found !== undefined,
  ),
);
for (const id of unlisted(list))
  throw new Error(`the library no longer has ${id}: see worker/pricing/sources.ts`);
for (const line of unreadPrices(list)) console.warn(line);
const models = modelsFrom(list);
const hash = createHash("sha256").update(JSON.stringify(models)).digest("hex").slice(0, 8);
const table: PriceTable = { version: `genai-prices-${await libraryVersion()}+${hash}`, models };
await writeFile(
  TABLE,
  await format(JSON.stringify(table), { ...(await resolveConfig(TABLE)), parser: "json" }),
);
