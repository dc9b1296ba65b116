/** Serves lists of prices as tests order them: `PUT /<name>` says what `GET /<name>` answers from then on. */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { ListOrder } from "./orders.ts";

const PIECE = " ".repeat(64 * 1024);

export interface RunningPrices {
  readonly url: string;
  close(): Promise<void>;
}

export async function startPrices(): Promise<RunningPrices> {
  const orders = new Map<string, ListOrder>();

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = request.url ?? "";
    if (request.method === "PUT") {
      orders.set(name, JSON.parse(await textOf(request)) as ListOrder);
      response.end();
      return;
    }
    const order = orders.get(name) ?? { status: 404 };
    if (order.delayMs !== undefined) await sleep(order.delayMs);
    response.writeHead(order.status ?? 200, { "content-type": "application/json", ...order.headers });
    for (let left = order.padding ?? 0; left > 0 && !response.destroyed; left -= PIECE.length) {
      if (!response.write(PIECE)) await sleep(1);
    }
    response.end(order.text ?? "");
  }

  const server = createServer((request, response) => {
    answer(request, response).catch(() => {
      response.destroy();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
