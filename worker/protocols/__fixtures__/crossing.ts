/** Runs both sides of a dialect against each other, as a relay behind a relay would. */
import type { ProtocolId } from "../../domain/protocol-id.ts";
import type { AnswerEvent, NeutralRequest } from "../neutral.ts";
import type { ClientCall } from "../protocol.ts";
import { SseReader } from "../sse.ts";
import type { AnswerDecoder, AnswerEncoder, Crossing, EncodedRequest } from "../translate.ts";

const encoder = new TextEncoder();

/** An encoded request as a client's call. */
export const callOf = ({ path, query, body }: EncodedRequest): ClientCall => ({
  path,
  query,
  headers: new Headers(),
  body: encoder.encode(JSON.stringify(body)),
});

/** Out of the neutral form and back into it. */
export const acrossRequest = (crossing: Crossing, request: NeutralRequest): NeutralRequest =>
  crossing.client.decodeRequest(callOf(crossing.upstream.encodeRequest(request)));

/** An answer as the dialect streams it. */
export const streamed = (events: readonly AnswerEvent[], out: AnswerEncoder): string =>
  events.map((event) => out.encode(event)).join("");

/** The events that a stream comes to, cut into pieces of `size` bytes. */
export function readStream(text: string, decoder: AnswerDecoder, size = 4096): AnswerEvent[] {
  const events: AnswerEvent[] = [];
  const sse = new SseReader(
    ({ name, data }) => {
      const json = new TextDecoder().decode(data);
      events.push(...decoder.decode({ name, data: json === "[DONE]" ? json : JSON.parse(json) }));
    },
    { eventBytesMax: 32 * 1024 * 1024 },
  );
  const bytes = encoder.encode(text);
  for (let at = 0; at < bytes.length; at += size) sse.push(bytes.subarray(at, at + size));
  sse.end();
  return [...events, ...decoder.end()];
}

/** A call of a dialect's client, by its JSON body. */
export const clientCall = (path: string, body: unknown, query = ""): ClientCall => ({
  path,
  query,
  headers: new Headers({ "content-type": "application/json" }),
  body: encoder.encode(JSON.stringify(body)),
});

export type Crossings = Readonly<Record<ProtocolId, Crossing>>;
