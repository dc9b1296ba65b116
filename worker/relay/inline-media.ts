/** Fetches the pictures and documents that a client gave by their addresses, for upstreams that take only bytes. */
import { toBase64 } from "../domain/encoding.ts";
import { RelayError } from "../domain/errors.ts";
import { assertAllowedTarget } from "../net/guard.ts";
import type { MediaPart, NeutralRequest, Part } from "../protocols/neutral.ts";
import type { Ports } from "./ports.ts";
import { readAtMost, within } from "./reading.ts";

const MEDIA_BYTES_MAX = 20 * 1024 * 1024;
const FETCH_TIMEOUT_MS = 20_000;
const ADDRESSES_MAX = 20;
const MEDIA_TYPE = /^(image|audio|video)\/[a-z0-9.+-]+$|^application\/pdf$|^text\/[a-z0-9.+-]+$/;

/** @throws RelayError `invalid_request` that names the address which could not be fetched, and why */
export async function withMediaInline(request: NeutralRequest, ports: Ports): Promise<NeutralRequest> {
  const addresses = new Set(request.turns.flatMap(({ parts }) => parts.flatMap(addressesIn)));
  if (addresses.size === 0) return request;
  if (addresses.size > ADDRESSES_MAX) {
    throw new RelayError(
      "invalid_request",
      `More than ${String(ADDRESSES_MAX)} pictures are given by their addresses. Send the others inside the request.`,
    );
  }
  const fetched = new Map(
    await Promise.all([...addresses].map(async (url) => [url, await fetchMedia(url, ports)] as const)),
  );
  const inline = <Kind extends Part>(part: Kind): Kind => withBytes(part, fetched);
  return { ...request, turns: request.turns.map((turn) => ({ ...turn, parts: turn.parts.map(inline) })) };
}

const urlOf = (part: Part): string[] =>
  part.kind === "media" && part.source.kind === "url" ? [part.source.url] : [];

const addressesIn = (part: Part): string[] =>
  part.kind === "tool_result" ? part.content.flatMap(urlOf) : urlOf(part);

interface Fetched {
  readonly mediaType: string;
  readonly data: string;
}

function withBytes<Kind extends Part>(part: Kind, fetched: ReadonlyMap<string, Fetched>): Kind {
  if (part.kind === "tool_result") {
    return { ...part, content: part.content.map((inner) => withBytes(inner, fetched)) };
  }
  if (part.kind !== "media" || part.source.kind !== "url") return part;
  const found = fetched.get(part.source.url);
  if (found === undefined) return part;
  const source: MediaPart["source"] = { kind: "base64", data: found.data };
  return { ...part, mediaType: found.mediaType, source };
}

const refused = (url: string, why: string) =>
  new RelayError("invalid_request", `The picture or document at ${url.slice(0, 200)} ${why}.`);

async function fetchMedia(url: string, { env, watch }: Ports): Promise<Fetched> {
  assertAllowedTarget(url, env.ALLOW_PRIVATE_UPSTREAMS);
  const controller = new AbortController();
  const abort = () => {
    controller.abort();
  };
  const limits = { limitMs: FETCH_TIMEOUT_MS, onLate: abort, onGone: abort };
  try {
    return await watch.during(limits, async () => {
      // A redirect could lead inside, where the guard does not look.
      const answer = await fetch(url, { redirect: "manual", signal: controller.signal });
      return await readMedia(url, answer, abort);
    });
  } catch (error) {
    if (watch.isClientGone || error instanceof RelayError) throw error;
    throw refused(url, "could not be fetched");
  }
}

async function readMedia(url: string, answer: Response, abort: () => void): Promise<Fetched> {
  const body: ReadableStream<Uint8Array> | null = answer.body;
  if (!answer.ok || body === null) {
    abort();
    throw refused(url, `could not be fetched: its server answered ${String(answer.status)}`);
  }
  const mediaType = (answer.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (!MEDIA_TYPE.test(mediaType)) {
    abort();
    throw refused(url, "is neither a picture nor a document");
  }
  const bytes = await within(readAtMost(body, MEDIA_BYTES_MAX + 1), FETCH_TIMEOUT_MS);
  if (bytes === null || bytes.length > MEDIA_BYTES_MAX) {
    abort();
    throw refused(url, bytes === null ? "took too long" : "is too large");
  }
  if (bytes.length < Number(answer.headers.get("content-length") ?? 0)) throw refused(url, "broke off");
  return { mediaType, data: toBase64(bytes) };
}
