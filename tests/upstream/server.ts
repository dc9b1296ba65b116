/** A fake of the vendors' APIs on loopback: real HTTP, controlled by behaviours. How to control it: control-types.ts. */
import { createHash, randomBytes } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { createBook } from "./book.ts";
import { REFUSED_PREFIX } from "./behaviour.ts";
import { upstreamControl, type UpstreamControl } from "./client.ts";
import { control, CONTROL_PREFIX, type Rooms } from "./control.ts";
import type { Endpoint } from "./control-types.ts";
import { readConversation } from "./conversation.ts";
import { askedOf, credentialOf, pathWithoutQuery, type Dialect } from "./dialect.ts";
import { sendError, sendStatus, type Exchange } from "./exchange.ts";
import { createGates } from "./gates.ts";
import { createLedger, type OpenEntry } from "./ledger.ts";
import { accessRefusal, createOAuth } from "./oauth.ts";
import { authorize, grantToken } from "./oauth-routes.ts";
import { perform } from "./perform.ts";
import { isRecord, parseJson } from "./record.ts";
import { serveWorkOs } from "./workos.ts";

export type Upstream = {
  readonly url: string;
  readonly port: number;
  readonly control: UpstreamControl;
  /** Also ends every open connection. */
  close(): Promise<void>;
};

export type UpstreamOptions = {
  /** 0, the default, takes a free one. */
  readonly port?: number;
  readonly recordBodies?: boolean;
};

/** The real limit of the Messages API (docs/api/errors, request_too_large). */
const BODY_BYTES_MAX = 32 * 1024 * 1024;
/** Longer bodies are logged by their hash only. */
const RECORDED_BODY_BYTES_MAX = 64 * 1024;
/** Longer than any client keeps idle connections, so that no request meets a closing socket. */
const KEEP_ALIVE_MS = 600_000;

export async function startUpstream(options: UpstreamOptions = {}): Promise<Upstream> {
  const rooms: Rooms = {
    book: createBook(),
    ledger: createLedger(),
    oauth: createOAuth(),
    gates: createGates(),
    settings: { recordBodies: options.recordBodies ?? false },
  };
  const nextRequestId = createRequestIds();
  const server = createServer(
    { noDelay: true, keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: 0 },
    (request, response) => {
      serve(rooms, request, response, nextRequestId()).catch((error: unknown) => {
        response.destroy(error instanceof Error ? error : new Error(String(error)));
      });
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port: options.port ?? 0, host: "127.0.0.1", backlog: 4_096 }, resolve);
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the upstream has no TCP address");
  const url = `http://127.0.0.1:${address.port}`;
  return { url, port: address.port, control: upstreamControl(url), close: () => closeServer(server) };
}

async function closeServer(server: ReturnType<typeof createServer>): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => {
      resolve();
    });
    server.closeAllConnections();
  });
}

/** Unique over several fakes in one test run too. */
function createRequestIds(): () => string {
  const start = randomBytes(6).toString("hex");
  let count = 0;
  return () => {
    count += 1;
    return `req_011${start}${count.toString(36).padStart(8, "0")}`;
  };
}

async function serve(
  rooms: Rooms,
  request: IncomingMessage,
  response: ServerResponse,
  requestId: string,
): Promise<void> {
  const path = request.url ?? "/";
  const method = request.method ?? "GET";
  if (path.startsWith(CONTROL_PREFIX)) {
    const body = (await readBody(request))?.toString() ?? "";
    return control(rooms, { method, path, body }, response);
  }
  const route = `${method} ${pathWithoutQuery(path)}`;
  const { dialect, endpoint } = askedOf(method, path);
  const credential = credentialOf(request);
  const family = credential === null ? null : rooms.oauth.familyOfAccessToken(credential);
  const headers = flatHeaders(request);
  const subject = family?.name ?? credential ?? "";
  const entry = rooms.ledger.open({ method, path, headers, credential, subject }, endpoint === "messages");
  const exchange = { response, entry, requestId, ledger: rooms.ledger, selfDestroyed: false };
  response.once("close", () => {
    const clientAborted = !response.writableFinished && !exchange.selfDestroyed;
    rooms.ledger.close(entry, clientAborted, response.headersSent ? response.statusCode : null);
  });
  const bytes = await readBody(request);
  if (bytes === null)
    return sendError(response, requestId, dialect, ["request_too_large", "Request exceeds the maximum size"]);
  recordBody(rooms, entry, bytes);
  if (route.endsWith("/oauth/token") && method === "POST")
    return await grantToken(rooms.oauth, bytes.toString(), exchange);
  if (route.endsWith("/oauth/authorize") && method === "GET") {
    return authorize(rooms.oauth, new URL(path, "http://upstream").searchParams, response);
  }
  const query = new URL(path, "http://upstream").searchParams;
  const asked = { route, query, host: headers["host"] ?? "", body: bytes.toString() };
  if (path.includes("/user_management/") && (await serveWorkOs(rooms.oauth, asked, exchange))) return;
  if (endpoint === null) return sendError(response, requestId, dialect, ["not_found_error", "Not found"]);
  if (dialect.refusal === undefined) {
    const refusal = refusalOf(rooms, entry);
    if (refusal !== null) return sendError(response, requestId, dialect, ["authentication_error", refusal]);
  } else {
    const refusal = dialect.refusal({ method, path, headers, body: bytes }, Date.now());
    if (refusal !== null) return sendStatus(response, requestId, refusal);
  }
  await answerModelCall(rooms, exchange, { endpoint, dialect }, bytes);
}

async function answerModelCall(
  rooms: Rooms,
  opened: Pick<Exchange, "response" | "entry" | "requestId" | "ledger" | "selfDestroyed">,
  call: { readonly endpoint: Endpoint; readonly dialect: Dialect },
  bytes: Buffer,
): Promise<void> {
  const { dialect, endpoint } = call;
  const asked = endpoint === "models" ? {} : parseJson(bytes.toString());
  const body = endpoint === "models" ? {} : isRecord(asked) ? dialect.normalize(asked) : null;
  if (!isRecord(asked) || body === null) {
    return sendError(opened.response, opened.requestId, dialect, ["invalid_request_error", dialect.missing]);
  }
  const complaint =
    endpoint === "messages" ? dialect.complaint?.({ headers: opened.entry.headers, body: asked }) : null;
  if (typeof complaint === "string") {
    return sendError(opened.response, opened.requestId, dialect, ["invalid_request_error", complaint]);
  }
  const conversation = readConversation(body);
  // Extended in place: the close listener looks at `selfDestroyed` of this very object.
  const exchange: Exchange = Object.assign(opened, { endpoint, dialect, body, asked, conversation });
  await perform(exchange, rooms.book.take(exchange.entry.subject, endpoint), rooms.gates);
}

function refusalOf(rooms: Rooms, entry: OpenEntry): string | null {
  const { credential } = entry;
  if (credential === null) return "x-api-key header is required";
  if (credential.startsWith(REFUSED_PREFIX)) return "invalid x-api-key";
  const family = rooms.oauth.familyOfAccessToken(credential);
  if (family !== null) return accessRefusal(family, credential, entry.headers, Date.now());
  return rooms.book.refuses(credential) ? "Invalid authentication credentials" : null;
}

function recordBody(rooms: Rooms, entry: OpenEntry, bytes: Buffer): void {
  entry.bodyBytes = bytes.length;
  if (!rooms.settings.recordBodies && !rooms.book.isRecorded(entry.subject)) return;
  entry.bodySha256 = createHash("sha256").update(bytes).digest("hex");
  if (bytes.length <= RECORDED_BODY_BYTES_MAX) entry.body = parseJson(bytes.toString()) ?? null;
}

function flatHeaders(request: IncomingMessage): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) flat[name] = typeof value === "string" ? value : value.join(", ");
  }
  return flat;
}

/** null when it is too large. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    // Read on to the end, else the refusal could not be sent.
    if (length <= BODY_BYTES_MAX) chunks.push(chunk);
  }
  if (length > BODY_BYTES_MAX) return null;
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
}
