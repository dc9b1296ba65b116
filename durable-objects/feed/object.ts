/** The feed: keeps sockets that may hibernate, and passes on what the keys' objects tell it while somebody looks. */
import { DurableObject } from "cloudflare:workers";
import { toBase64Url } from "../../worker/domain/encoding.ts";
import { watcherSchema, type FeedEvent, type FeedMessage, type Watcher } from "../../worker/domain/feed.ts";
import { hashKey } from "../../worker/storage/hash.ts";
import { WATCHER_HEADER, type FeedAnswer, type FeedContract } from "./contract.ts";
import * as machine from "./state.ts";

const ROW = "state";
const METRICS_EVERY_MS = 5000;
/** Nobody looks: how long objects say nothing. Who comes then sees the next requests after this at the latest. */
const QUIET_MS = 10_000;
const WATCHERS_MAX = 50;
/** Of the WebSocket close codes that are free for applications. */
const CLOSE_TIME_UP = 4000;
const TICKET_BYTES = 32;

export class FeedObject extends DurableObject implements FeedContract {
  #state: machine.FeedState;

  constructor(ctx: DurableObjectState, rawEnv: Cloudflare.Env) {
    super(ctx, rawEnv);
    const row: unknown = ctx.storage.kv.get(ROW);
    this.#state = row === undefined ? machine.EMPTY : machine.feedStateSchema.parse(row);
    // Answered without waking the object.
    ctx.setWebSocketAutoResponse(new WebSocketRequestResponsePair("ping", "pong"));
  }

  #keep(state: machine.FeedState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.ctx.storage.kv.put(ROW, state);
  }

  override async fetch(request: Request): Promise<Response> {
    const watcher = watcherSchema.parse(JSON.parse(request.headers.get(WATCHER_HEADER) ?? "null"));
    if (this.ctx.getWebSockets().length >= WATCHERS_MAX) return new Response(null, { status: 429 });
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    server.serializeAttachment(watcher);
    const now = Date.now();
    this.#keep(machine.watched(this.#state, now));
    this.#tellMetrics([server], now);
    if ((await this.ctx.storage.getAlarm()) === null) await this.#arm();
    return new Response(null, { status: 101, webSocket: client });
  }

  async publish(events: readonly FeedEvent[], left: number): Promise<FeedAnswer> {
    const sockets = this.ctx.getWebSockets();
    if (sockets.length === 0) return { watched: false, quietMs: QUIET_MS };
    // Kept with the next figures: a write for each batch would cost more than a minute's figures are worth.
    this.#state = machine.counted(this.#state, events, Date.now());
    for (const socket of sockets) {
      const watcher = watcherOf(socket);
      const items = watcher === null ? [] : events.filter((event) => machine.sees(watcher, event));
      if (items.length > 0) send(socket, { type: "requests", items, left });
    }
    return { watched: true, quietMs: 0 };
  }

  async issueTicket(watcher: Watcher, origin: string | null): Promise<string> {
    const text = toBase64Url(crypto.getRandomValues(new Uint8Array(TICKET_BYTES)));
    const now = Date.now();
    const ticket = { hash: await hashKey(text), watcher, origin, expiresAt: now + machine.TICKET_MS };
    this.#keep(machine.issued(this.#state, ticket, now));
    return text;
  }

  async takeTicket(text: string, origin: string | null): Promise<Watcher | null> {
    const hash = await hashKey(text);
    const { state, watcher } = machine.taken(this.#state, { hash, origin }, Date.now());
    this.#keep(state);
    return watcher;
  }

  /** Only while somebody looks. */
  override async alarm(): Promise<void> {
    const now = Date.now();
    for (const socket of this.ctx.getWebSockets()) {
      if ((watcherOf(socket)?.until ?? 0) <= now) socket.close(CLOSE_TIME_UP, "Connect again.");
    }
    const sockets = this.ctx.getWebSockets().filter(isOpen);
    if (sockets.length === 0) {
      this.#keep(machine.unwatched(this.#state));
      return;
    }
    this.ctx.storage.kv.put(ROW, this.#state);
    this.#tellMetrics(sockets, now);
    await this.#arm();
  }

  #tellMetrics(sockets: readonly WebSocket[], now: number): void {
    const metrics = machine.metricsOf(this.#state, this.ctx.getWebSockets().length, now);
    for (const socket of sockets) {
      const watcher = watcherOf(socket);
      if (watcher !== null && machine.seesMetrics(watcher)) send(socket, metrics);
    }
  }

  async #arm(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now() + METRICS_EVERY_MS);
  }

  /** Nobody has anything to say to the feed. */
  override webSocketMessage(): void {
    return;
  }

  override webSocketClose(socket: WebSocket, code: number): void {
    // 1005 and 1006 say that no code came, and must not be sent (RFC 6455, section 7.4.1).
    socket.close(code === 1005 || code === 1006 ? 1000 : code);
  }
}

const isOpen = (socket: WebSocket) => socket.readyState === WebSocket.OPEN;

const watcherOf = (socket: WebSocket): Watcher | null =>
  watcherSchema.safeParse(socket.deserializeAttachment()).data ?? null;

/** A socket may close between the look at it and the message. */
function send(socket: WebSocket, message: FeedMessage): void {
  if (isOpen(socket)) socket.send(JSON.stringify(message));
}
