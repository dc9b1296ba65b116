/** One kept-alive connection to a target; one request at a time. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { RequestBody } from "./bodies.ts";
import { ResponseParser } from "./response-parser.ts";
import type { Target } from "./targets.ts";

export interface Answer {
  readonly status: number;
  readonly bodyBytes: number;
  /** From sending the request to the first byte of the answer's body, in ms. */
  readonly firstByteMs: number;
}

/** A request in its bytes, for as many uses as wanted. */
export function encodeRequest(target: Target, body: RequestBody, path = "/v1/messages"): Buffer {
  const head = [
    `POST ${path} HTTP/1.1`,
    `host: 127.0.0.1:${String(target.port)}`,
    "content-type: application/json",
    "accept: application/json",
    "anthropic-version: 2023-06-01",
    "user-agent: claude-cli/2.1.0 (external, cli)",
    `x-api-key: ${target.apiKey}`,
    `content-length: ${String(body.length)}`,
  ];
  return Buffer.concat([Buffer.from(`${head.join("\r\n")}\r\n\r\n`), body]);
}

export class Connection {
  readonly #socket: Socket;

  private constructor(socket: Socket) {
    this.#socket = socket;
  }

  static async open(target: Target): Promise<Connection> {
    const socket = connect({ host: "127.0.0.1", port: target.port, noDelay: true });
    await once(socket, "connect");
    return new Connection(socket);
  }

  /** @throws when the connection ends before the answer does */
  send(request: Buffer, onBody?: (bytes: Buffer) => void): Promise<Answer> {
    const socket = this.#socket;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    let firstByteAt: number | null = null;
    let bodyBytes = 0;
    const parser = new ResponseParser((bytes) => {
      firstByteAt ??= performance.now();
      bodyBytes += bytes.length;
      onBody?.(bytes);
    });
    const failed = (): void => {
      reject(new Error("the connection broke off in the middle of an answer"));
    };
    const onData = (bytes: Buffer): void => {
      if (!parser.push(bytes)) return;
      socket.off("data", onData).off("close", failed).off("error", failed);
      resolve({
        status: parser.status,
        bodyBytes,
        firstByteMs: (firstByteAt ?? performance.now()) - sentAt,
      });
    };
    socket.on("data", onData).on("close", failed).on("error", failed);
    const sentAt = performance.now();
    socket.write(request);
    return promise;
  }

  close(): void {
    this.#socket.destroy();
  }
}
