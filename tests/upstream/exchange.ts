/** One request with its response, and the plain ways to answer it. */
import type { ServerResponse } from "node:http";
import type { StatusBehaviour } from "./behaviour.ts";
import type { Endpoint } from "./control-types.ts";
import type { Conversation } from "./conversation.ts";
import type { Dialect } from "./dialect.ts";
import type { Ledger, OpenEntry } from "./ledger.ts";
import { isRecord, type JsonRecord } from "./record.ts";
import { commonHeaders, type HeaderMap } from "./response-headers.ts";

export type Exchange = {
  readonly response: ServerResponse;
  readonly entry: OpenEntry;
  readonly ledger: Ledger;
  readonly endpoint: Endpoint;
  readonly dialect: Dialect;
  /** In Anthropic's form, whatever the dialect. */
  readonly body: JsonRecord;
  /** As it came. */
  readonly asked: JsonRecord;
  readonly conversation: Conversation;
  readonly requestId: string;
  /** Set before the fake itself destroys the socket, so that it is not taken for the client's doing. */
  selfDestroyed: boolean;
};

export type Cuttable = Pick<Exchange, "response" | "selfDestroyed">;

/** Destroys the connection; whatever was written before has left this process. */
export async function cutConnection(exchange: Cuttable): Promise<void> {
  exchange.selfDestroyed = true;
  // One turn of the loop, so that corked writes reach the kernel.
  await new Promise((resolve) => setImmediate(resolve));
  exchange.response.destroy();
}

/** A TCP reset, which also throws away what the client has not read yet. */
export function resetConnection(exchange: Cuttable): void {
  exchange.selfDestroyed = true;
  exchange.response.socket?.resetAndDestroy();
}

export function sendBody(
  response: ServerResponse,
  status: number,
  headers: HeaderMap,
  body: string | Buffer,
): void {
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) });
  response.end(body);
}

export function sendStatus(response: ServerResponse, requestId: string, order: StatusBehaviour): void {
  const contentType = order.contentType ?? "application/json";
  const headers = { ...commonHeaders(requestId), "content-type": contentType, ...order.headers };
  sendBody(response, order.status, headers, statusBody(order.body, requestId));
}

export function sendError(
  response: ServerResponse,
  requestId: string,
  dialect: Dialect,
  error: readonly [type: string, message: string],
): void {
  sendStatus(response, requestId, { kind: "status", ...dialect.errorAnswer(...error) });
}

function statusBody(body: unknown, requestId: string): string {
  if (body === undefined) return "";
  if (typeof body === "string") return body;
  if (!isRecord(body) || body["type"] !== "error") return JSON.stringify(body);
  return JSON.stringify({ request_id: requestId, ...body });
}
