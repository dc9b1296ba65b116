/** Reads a client's call: its body within the limit, and of it what the relay needs to know. */
import { concat } from "../protocols/bytes.ts";
import { RelayError } from "../domain/errors.ts";
import { affinity, type Affinity, type RequestId } from "../domain/ids.ts";
import type { KeySnapshot } from "../domain/key.ts";
import { toHex } from "../domain/encoding.ts";
import type { Story } from "./story.ts";
import type { Service } from "../domain/service.ts";
import type {
  ClientCall,
  Crosses,
  Operation,
  ParsedCall,
  Protocol,
  StreamFilter,
} from "../protocols/protocol.ts";
import type { Translation } from "./translation.ts";

/** A client's call on its way through the relay. The body stays the bytes received. */
export interface Call {
  readonly requestId: RequestId;
  readonly key: KeySnapshot;
  /** The dialect of path, query and body: the client's own, unless there is a translation. */
  readonly protocol: Protocol;
  /** Between the client's dialect and the account's; null: they are the same. */
  readonly translation: Translation | null;
  readonly operation: Operation;
  /** Whose path it came by: what the key must be allowed to use, unless the model says otherwise. */
  readonly service: Service;
  /** Only accounts of this provider may answer; null: any. */
  readonly onlyProvider: string | null;
  /** Which accounts of another dialect may answer; null: none. */
  readonly crosses: Crosses | null;
  /** The call as the client made it. */
  readonly asked: ClientCall;
  /** Path below the upstream's base URL. */
  readonly path: string;
  /** Query for the upstream, without the relay key. */
  readonly query: string;
  readonly headers: Headers;
  readonly body: Uint8Array;
  /** Takes out of the answer what only the relay asked for; null: nothing. */
  readonly createFilter: (() => StreamFilter) | null;
  readonly parsed: ParsedCall;
  readonly affinity: Affinity | null;
  /** How it finds its account, for whoever asks later. */
  readonly story: Story;
}

const tooLarge = (limit: number) =>
  new RelayError(
    "payload_too_large",
    `The request body is larger than ${String(limit)} bytes, the limit here.`,
  );

/**
 * The whole body, at most `limit` bytes of it.
 *
 * @throws RelayError `payload_too_large`, or `invalid_request` when the body does not come
 */
export async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  const declared = Number(request.headers.get("content-length") ?? 0);
  if (declared > limit) throw tooLarge(limit);
  try {
    // With a length declared, the runtime reads no more than that, so one native read is enough.
    if (declared > 0) return new Uint8Array(await request.arrayBuffer());
    return await readUnsized(request, limit);
  } catch (error) {
    if (error instanceof RelayError) throw error;
    throw new RelayError("invalid_request", "The request body could not be read.", { cause: error });
  }
}

async function readUnsized(request: Request, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of request.body ?? []) {
    const bytes = chunk as Uint8Array;
    size += bytes.length;
    if (size > limit) throw tooLarge(limit);
    chunks.push(bytes);
  }
  return concat(chunks);
}

/** The conversation's identity within this key: two keys with the same prompt share nothing. */
export async function affinityOf(
  key: KeySnapshot,
  parsed: ParsedCall,
  body: Uint8Array,
): Promise<Affinity | null> {
  const source = parsed.affinitySource;
  switch (source.kind) {
    case "none":
      return null;
    case "session":
      return affinity(key.id, source.id);
    case "prefix": {
      const digests = await Promise.all(
        source.ranges.map(({ start, end }) => crypto.subtle.digest("SHA-256", body.subarray(start, end))),
      );
      return affinity(
        key.id,
        `prompt:${digests.map((digest) => toHex(new Uint8Array(digest, 0, 16))).join("")}`,
      );
    }
  }
}
