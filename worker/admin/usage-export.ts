/** The ledger as a file, made page by page while it is sent: it may be larger than memory. */
import { Hono, type Context } from "hono";
import type { UsageView } from "../domain/usage.ts";
import { dayOf } from "../domain/calendar.ts";
import { eachUsage } from "../storage/usage-list.ts";
import { documented } from "../api-document/route-facts.ts";
import { query, type AdminEnv } from "./context.ts";
import { csvHead, csvLine } from "./csv.ts";
import { exportQuerySchema, recordsFilter } from "./usage-query.ts";

const FORMATS = {
  csv: { type: "text/csv; charset=utf-8", head: csvHead(), line: csvLine },
  ndjson: {
    type: "application/x-ndjson; charset=utf-8",
    head: "",
    line: (record: UsageView) => `${JSON.stringify(record)}\n`,
  },
} as const;

async function* chunks(
  pages: AsyncIterable<readonly UsageView[]>,
  { head, line }: (typeof FORMATS)[Format],
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  if (head !== "") yield encoder.encode(head);
  for await (const page of pages) yield encoder.encode(page.map(line).join(""));
}

/** Pulled, so that a slow reader holds the next page back. */
function streamOf(source: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        const next = await source.next();
        if (next.done === true) controller.close();
        else controller.enqueue(next.value);
      },
      async cancel() {
        await source.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

type Format = keyof typeof FORMATS;

/** The pages as a file to save. */
export const usageFile = (
  context: Context<AdminEnv>,
  pages: AsyncIterable<readonly UsageView[]>,
  format: Format,
): Response =>
  context.body(streamOf(chunks(pages, FORMATS[format])), 200, {
    "content-type": FORMATS[format].type,
    "content-disposition": `attachment; filename="usage-${dayOf(Date.now(), context.get("settings").timeZone)}.${format}"`,
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
  });

export const usageExportRoutes = new Hono<AdminEnv>().get(
  "/export",
  documented("Exports requests from the ledger, as CSV or one JSON object a line.", { 200: "text/csv" }),
  query(exportQuerySchema),
  (context) => {
    const { format, ...asked } = context.req.valid("query");
    return usageFile(context, eachUsage(context.env.DB, recordsFilter(asked), "oldest"), format);
  },
);
