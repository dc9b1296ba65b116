/**
 * A proxy of somebody else's making, as a process of its own: `node proxy-process.ts '<ProxyOrder as JSON>'`. It tells
 * its port to the process that started it. It alone knows where `upstream.test` is, so that whoever got there by that
 * name left the name to the proxy.
 */
import { lookup, type LookupAddress, type LookupOptions } from "node:dns";
import { createServer, type AddressInfo } from "node:net";
import { createServer as createSocks5, defaultConnectionHandler } from "@pondwader/socks5-server";
import { RequestError, Server } from "proxy-chain";
import { readPair } from "./certificates.ts";
import { FORBIDDEN_NAME, REMOTE_NAME, type ProxyOrder } from "./orders.ts";

const LOOPBACK = "127.0.0.1";

type Resolved = (error: Error | null, addresses: string | LookupAddress[], family: number) => void;

function resolve(name: string, options: LookupOptions, resolved: Resolved): void {
  lookup(name === REMOTE_NAME ? LOOPBACK : name, options, resolved);
}

async function startSocks5({ username, password }: ProxyOrder): Promise<number> {
  const server = createSocks5(username === undefined ? {} : { auth: { username, password: password ?? "" } });
  server.setRulesetValidator(({ destAddress }) => destAddress !== FORBIDDEN_NAME);
  server.setConnectionHandler((connection, sendStatus) => {
    if (connection.destAddress === REMOTE_NAME) connection.destAddress = LOOPBACK;
    defaultConnectionHandler(connection, sendStatus);
  });
  // It does not tell its port, so it is handed connections by a server that does.
  const front = createServer((socket) => {
    socket.on("error", () => undefined);
    server._handleConnection(socket);
  });
  await new Promise<void>((listening) => front.listen(0, LOOPBACK, listening));
  return (front.address() as AddressInfo).port;
}

async function startConnect({ kind, username, password, certificates }: ProxyOrder): Promise<number> {
  const prepareRequestFunction = (asked: { username: string; password: string; hostname: string }) => {
    if (asked.hostname === FORBIDDEN_NAME) throw new RequestError("not allowed here", 403);
    return {
      requestAuthentication:
        username !== undefined && (asked.username !== username || asked.password !== password),
      ipFamily: 4,
      dnsLookup: resolve as unknown as typeof lookup,
    };
  };
  const options = { port: 0, host: LOOPBACK, prepareRequestFunction };
  const server =
    kind === "https"
      ? new Server({ ...options, serverType: "https", httpsOptions: readPair(certificates, "right") })
      : new Server(options);
  await server.listen();
  return server.port;
}

process.once("disconnect", () => process.exit());
const order = JSON.parse(process.argv[2] ?? "") as ProxyOrder;
process.send?.({ port: await (order.kind === "socks5" ? startSocks5 : startConnect)(order) });
