/** Records in R2: gzip of one JSON object a line, read back and compared before anyone relies on it. */
import { toHex } from "../domain/encoding.ts";
import type { StoredRecord } from "./retention.ts";

async function through(
  text: Uint8Array,
  transform: CompressionStream | DecompressionStream,
): Promise<Uint8Array> {
  const stream = new Blob([text]).stream().pipeThrough(transform);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

const digest = async (bytes: Uint8Array) =>
  toHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));

/**
 * Writes records, which are in the order of their ids. The name is theirs, so a batch that comes again is
 * written over itself.
 *
 * @throws when what is read back is not what was written
 */
export async function archiveRecords(bucket: R2Bucket, records: readonly StoredRecord[]): Promise<string> {
  const [first, last] = [records.at(0)?.request_id ?? "", records.at(-1)?.request_id ?? ""];
  const name = `usage/${first}-${last}.ndjson.gz`;
  const text = new TextEncoder().encode(records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  await bucket.put(name, await through(text, new CompressionStream("gzip")), {
    httpMetadata: { contentType: "application/gzip" },
    customMetadata: { records: String(records.length), sha256: await digest(text) },
  });
  const stored = await bucket.get(name);
  if (stored === null)
    throw new Error(`The archive ${name} is not there after it was written; its records stay.`);
  const read = await through(new Uint8Array(await stored.arrayBuffer()), new DecompressionStream("gzip"));
  if ((await digest(read)) !== (await digest(text))) {
    throw new Error(`The archive ${name} differs from what was written; its records stay.`);
  }
  return name;
}
