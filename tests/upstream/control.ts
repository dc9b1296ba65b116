/** Serves `/__control/…`; the calls and their JSON are described in control-types.ts. */
import type { ServerResponse } from "node:http";
import type { Book } from "./book.ts";
import type { Behaviour } from "./behaviour.ts";
import type { BehaviourOrder, OAuthSeed, Stats } from "./control-types.ts";
import { sendBody } from "./exchange.ts";
import type { Gates } from "./gates.ts";
import type { Ledger } from "./ledger.ts";
import type { OAuth } from "./oauth.ts";
import { isRecord, parseJson, type JsonRecord } from "./record.ts";

export const CONTROL_PREFIX = "/__control/";

export type Rooms = {
  readonly book: Book;
  readonly ledger: Ledger;
  readonly oauth: OAuth;
  readonly gates: Gates;
  readonly settings: { recordBodies: boolean };
};

type Outcome = { readonly status: number; readonly body: unknown };

const LOG_LIMIT_DEFAULT = 20_000;

/** A total record, so that the compiler asks for a new kind here too. */
const KINDS: Readonly<Record<Behaviour["kind"], true>> = {
  answer: true,
  cut: true,
  status: true,
  hang: true,
  errorEvent: true,
  malformed: true,
  endless: true,
  reset: true,
  gate: true,
  gateInside: true,
  perModel: true,
  ifThinking: true,
};

export function control(
  rooms: Rooms,
  request: { method: string; path: string; body: string },
  response: ServerResponse,
): void {
  const url = new URL(request.path, "http://upstream");
  const name = url.pathname.slice(CONTROL_PREFIX.length);
  const outcome =
    request.method === "GET" ? read(rooms, name, url.searchParams) : obey(rooms, name, request.body);
  sendBody(response, outcome.status, { "content-type": "application/json" }, JSON.stringify(outcome.body));
}

function read(rooms: Rooms, name: string, query: URLSearchParams): Outcome {
  const subject = query.get("subject");
  switch (name) {
    case "log": {
      const afterSeq = Number(query.get("afterSeq") ?? -1);
      const limit = Number(query.get("limit") ?? LOG_LIMIT_DEFAULT);
      return done({ entries: rooms.ledger.entries({ subject, afterSeq, limit }) });
    }
    case "stats":
      return done({ subjects: rooms.ledger.stats(subject), ...rooms.oauth.stats() } satisfies Stats);
    default:
      return { status: 404, body: { error: `no such call: GET ${name}` } };
  }
}

function obey(rooms: Rooms, name: string, rawBody: string): Outcome {
  const body = rawBody === "" ? {} : parseJson(rawBody);
  if (!isRecord(body)) return wrong("the body must be a JSON object");
  switch (name) {
    case "behaviour":
      if (!isOrder(body)) return wrong("needs subject, and behaviours of a known kind");
      rooms.book.write(body);
      return done({});
    case "release":
      if (typeof body["gate"] !== "string") return wrong("needs gate");
      rooms.gates.release(body["gate"]);
      return done({});
    case "oauth":
      if (!isSeed(body)) return wrong("needs family");
      rooms.oauth.seed(body, Date.now());
      return done({});
    case "record":
      rooms.settings.recordBodies = body["bodies"] === true;
      return done({});
    case "reset":
      reset(rooms, typeof body["subject"] === "string" ? body["subject"] : null);
      return done({});
    default:
      return { status: 404, body: { error: `no such call: POST ${name}` } };
  }
}

function reset(rooms: Rooms, subject: string | null): void {
  rooms.book.reset(subject);
  rooms.ledger.reset(subject);
  rooms.oauth.reset(subject);
  if (subject !== null) return;
  rooms.gates.reset();
  rooms.settings.recordBodies = false;
}

function isOrder(body: JsonRecord): body is JsonRecord & BehaviourOrder {
  if (typeof body["subject"] !== "string") return false;
  const queue = body["queue"] ?? [];
  const standing = body["standing"] ?? null;
  return Array.isArray(queue) && queue.every(isBehaviour) && (standing === null || isBehaviour(standing));
}

function isBehaviour(value: unknown): value is Behaviour {
  return isRecord(value) && typeof value["kind"] === "string" && value["kind"] in KINDS;
}

function isSeed(body: JsonRecord): body is JsonRecord & OAuthSeed {
  return typeof body["family"] === "string";
}

function done(body: unknown): Outcome {
  return { status: 200, body };
}

function wrong(error: string): Outcome {
  return { status: 400, body: { error } };
}
