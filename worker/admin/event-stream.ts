/** An answer as server-sent events, written while the work is done. */

const HEADERS = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  "x-accel-buffering": "no",
} as const;

interface Named {
  readonly event: string;
  readonly data: unknown;
}

export interface Listener<Event extends Named> {
  readonly say: (event: Event) => Promise<void>;
  /** Fires when nobody reads any more. */
  readonly left: AbortSignal;
}

/**
 * @param request whose client may leave
 * @param waitUntil keeps the worker until the work has ended, whoever has left
 */
export function eventStream<Event extends Named>(
  request: Request,
  waitUntil: (work: Promise<unknown>) => void,
  work: (listener: Listener<Event>) => Promise<void>,
): Response {
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const writer = writable.getWriter();
  const gone = new AbortController();
  const leave = () => {
    gone.abort();
  };
  request.signal.addEventListener("abort", leave, { once: true });
  writer.closed.catch(leave);
  const encoder = new TextEncoder();
  const say = async ({ event, data }: Event) => {
    const text = `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
    // Who has left hears nothing; the work ends by its signal.
    await writer.write(encoder.encode(text)).catch(leave);
  };
  const finished = work({ say, left: gone.signal }).finally(() => writer.close().catch(() => undefined));
  waitUntil(finished);
  return new Response(readable, { headers: HEADERS });
}
