/**
 * Takes a copy of what a key's request and its answer say, where an admin has asked for it. Headers are no part of it,
 * so no credential is. A copy that gets lost is lost: nobody's request waits for it.
 */
import { CAPTURE_BYTES_MAX, type BodyBeginning } from "../domain/capture.ts";
import { RelayError } from "../domain/errors.ts";
import type { EpochMs, KeyId, RequestId } from "../domain/ids.ts";
import type { KeySnapshot } from "../domain/key.ts";
import { concat } from "../protocols/bytes.ts";
import type { Protocol } from "../protocols/protocol.ts";
import type { Ports } from "./ports.ts";

/** Captures that want no more, by their end, as far as this isolate knows: their requests are not copied. */
const FULL_MAX = 1000;
const full = new Map<KeyId, EpochMs>();

const utf8 = new TextEncoder();

/** The beginning of a body that comes in pieces. */
class Beginning {
  readonly #pieces: Uint8Array[] = [];
  #held = 0;
  #bytes = 0;

  push(piece: Uint8Array): void {
    this.#bytes += piece.length;
    const room = CAPTURE_BYTES_MAX - this.#held;
    if (room <= 0) return;
    const part = piece.slice(0, room);
    this.#held += part.length;
    this.#pieces.push(part);
  }

  get taken(): BodyBeginning {
    return { beginning: concat(this.#pieces), bytes: this.#bytes };
  }
}

interface Asked {
  readonly requestId: RequestId;
  readonly protocol: Protocol;
  readonly body: Uint8Array;
}

/** null: nothing of this request is to be captured. */
export function captureOf(
  { id, captureUntil }: KeySnapshot,
  asked: Asked,
  ports: Ports,
): RequestCapture | null {
  if (captureUntil === null || captureUntil <= ports.now() || full.get(id) === captureUntil) return null;
  return new RequestCapture(id, captureUntil, asked, ports);
}

export class RequestCapture {
  readonly #keyId: KeyId;
  readonly #until: EpochMs;
  readonly #asked: Omit<Asked, "body">;
  readonly #ports: Ports;
  readonly #at: EpochMs;
  readonly #request = new Beginning();
  readonly #response = new Beginning();

  constructor(keyId: KeyId, until: EpochMs, { body, ...asked }: Asked, ports: Ports) {
    this.#keyId = keyId;
    this.#until = until;
    this.#asked = asked;
    this.#ports = ports;
    this.#at = ports.now();
    this.#request.push(body);
  }

  /** The same answer, or the same error, of which a copy is taken on its way. */
  async watch(answering: Promise<Response>): Promise<Response> {
    try {
      return this.#copied(await answering);
    } catch (error) {
      if (error instanceof RelayError) {
        const { status, body } = this.#asked.protocol.renderError(error, this.#asked.requestId);
        this.#response.push(utf8.encode(body));
        this.#ports.waitUntil(this.#send(status, true));
      }
      throw error;
    }
  }

  #copied(response: Response): Response {
    const body: ReadableStream<Uint8Array> | null = response.body;
    if (body === null) {
      this.#ports.waitUntil(this.#send(response.status, true));
      return response;
    }
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>({
      transform: (piece, controller) => {
        this.#response.push(piece);
        controller.enqueue(piece);
      },
    });
    // A client that leaves cancels the pipe, and with it the answer, as it would without it.
    const whole = body.pipeTo(writable).then(
      // In workerd a pipe whose reader has left ends as if all were well (seen 2026-11).
      () => !this.#ports.watch.isClientGone,
      () => false,
    );
    this.#ports.waitUntil(whole.then((isWhole) => this.#send(response.status, isWhole)));
    return new Response(readable, response);
  }

  async #send(status: number, whole: boolean): Promise<void> {
    const { requestId } = this.#asked;
    const draft = {
      requestId,
      at: this.#at,
      status,
      whole,
      request: this.#request.taken,
      response: this.#response.taken,
    };
    try {
      if (await this.#ports.captureObject(this.#keyId).keep(draft, this.#until)) return;
      if (full.size >= FULL_MAX) full.clear();
      full.set(this.#keyId, this.#until);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      console.error(JSON.stringify({ event: "capture_lost", requestId, message }));
    }
  }
}
