/**
 * Receivers of notifications for tests: for each kind, boxes that look at what comes as the real receiver would. A box
 * is `/<kind>/<box>`; mails are in the box that their recipient is named after. `client.ts` is the other side.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readPair } from "../proxies/certificates.ts";
import { certificateFolder } from "../proxies/trust.ts";
import { startMailServers } from "./mail.ts";
import type { Mood, Received, Receivers, ReceiverKind } from "./orders.ts";
import { RULES, type Incoming } from "./rules.ts";

interface Box {
  readonly received: Received[];
  mood: Mood;
}

export interface RunningReceivers {
  readonly url: string;
  close(): Promise<void>;
}

const isKind = (text: string): text is ReceiverKind => Object.hasOwn(RULES, text);

export async function startReceivers(): Promise<RunningReceivers> {
  const boxes = new Map<string, Box>();
  const boxOf = (name: string): Box => {
    const box = boxes.get(name) ?? { received: [], mood: { kind: "takes" } };
    boxes.set(name, box);
    return box;
  };
  const folder = certificateFolder();
  const pairs = { right: readPair(folder, "right"), wrong: readPair(folder, "wrong") };
  const mail = await startMailServers(pairs, ({ to, text }) => {
    for (const address of to) {
      const name = address.slice(0, address.indexOf("@"));
      boxOf(name).received.push({ problem: null, path: "", headers: {}, body: text, refused: false });
    }
  });
  const server = createServer((request, response) => {
    textOf(request)
      .then((text) => {
        answer(request, text, response);
      })
      .catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;

  function answer(request: IncomingMessage, text: string, response: ServerResponse): void {
    const [, kind = "", name = "", ...rest] = (request.url ?? "").split("/");
    if (kind === "_receivers") response.end(JSON.stringify({ url, mail: mail.ports } satisfies Receivers));
    else if (kind === "_box") response.end(JSON.stringify(boxOf(name).received));
    else if (kind === "_mood") {
      boxOf(name).mood = JSON.parse(text) as Mood;
      response.end("null");
    } else if (isKind(kind)) {
      const [box = "", query] = name.split("?");
      const path = `/${rest.join("/")}${query === undefined ? "" : `?${query}`}`;
      take(kind, boxOf(box), { path, headers: headersOf(request), text }, response);
    } else response.writeHead(404).end();
  }

  return {
    url,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await mail.close();
    },
  };
}

function take(kind: ReceiverKind, box: Box, message: Incoming, response: ServerResponse): void {
  const { problemWith, taken, refused } = RULES[kind];
  const problem = problemWith(message);
  const { mood } = box;
  if (mood.count !== undefined)
    box.mood = mood.count > 1 ? { ...mood, count: mood.count - 1 } : { kind: "takes" };
  const isTaken = mood.kind === "takes" && problem === null;
  const { path, headers, text } = message;
  box.received.push({ problem, path, headers, body: JSON.parse(text), refused: !isTaken });
  switch (mood.kind) {
    case "takes":
      response.writeHead((isTaken ? taken : refused).status);
      response.end((isTaken ? taken : refused).body);
      return;
    case "down":
      response.socket?.destroy();
      return;
    case "redirects":
      response.writeHead(307, { location: `/${kind}/elsewhere` }).end();
      return;
    case "echoes":
      response.writeHead(400).end(`${path} ${JSON.stringify(headers)} ${text}`);
  }
}

const headersOf = ({ headers }: IncomingMessage): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
