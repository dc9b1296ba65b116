/**
 * Proxies for tests: processes that can be started and killed over HTTP from inside workerd, TLS in front of the fake
 * upstream, and the egress forwarder. `client.ts` is the other side.
 */
import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { connect, createServer, type AddressInfo, type Server } from "node:net";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { createServer as createTlsServer } from "node:tls";
import { filesOf, readPair, type Name } from "./certificates.ts";
import { FORBIDDEN_NAME, REMOTE_NAME, type Lab, type ProxyOrder, type StartedProxy } from "./orders.ts";
import { certificateFolder } from "./trust.ts";

const LOOPBACK = "127.0.0.1";
const EGRESS_TOKEN = "egress-token-of-the-integration-tests";
const FORWARDER = join(import.meta.dirname, "../../egress/forwarder.mjs");
const PROXY = join(import.meta.dirname, "proxy-process.ts");

export interface RunningLab {
  readonly url: string;
  close(): Promise<void>;
}

export async function startLab(upstreamPort: number): Promise<RunningLab> {
  const folder = certificateFolder();
  let connections = 0;
  const fronts = await Promise.all(
    (["right", "right", "wrong"] as const).map((name) => listen(tlsFront(folder, name, upstreamPort))),
  );
  const [tlsPort = 0, watchedPort = 0, wrongTlsPort = 0] = fronts.map(portOf);
  fronts[1]?.on("connection", () => {
    connections += 1;
  });
  const silent = await listen(createServer((socket) => socket.on("error", () => undefined)));
  const closed = await listen(createServer());
  const closedPort = portOf(closed);
  closed.close();
  const forwarder = await startForwarder(folder, [tlsPort, watchedPort, wrongTlsPort, closedPort]);
  const lab: Lab = {
    tlsPort,
    watchedPort,
    wrongTlsPort,
    silentPort: portOf(silent),
    closedPort,
    egress: { url: `https://localhost:${String(forwarder.port)}/`, token: EGRESS_TOKEN },
  };
  const proxies = new Map<number, ChildProcess>();
  const control = createHttpServer((request, response) => {
    answer(request)
      .then((value) => {
        response.end(JSON.stringify(value ?? null));
      })
      .catch((error: unknown) => {
        response.writeHead(500).end(String(error));
      });
  });

  async function answer(request: IncomingMessage): Promise<unknown> {
    const [, action = "", id = ""] = (request.url ?? "").split("/");
    switch (action) {
      case "lab":
        return lab;
      case "connections":
        return connections;
      case "start": {
        const order = JSON.parse(await textOf(request)) as Omit<ProxyOrder, "certificates">;
        const [child, port] = await startProxy({ ...order, certificates: folder });
        proxies.set(child.pid ?? 0, child);
        return { id: child.pid ?? 0, port } satisfies StartedProxy;
      }
      case "kill": {
        const child = proxies.get(Number(id));
        if (child !== undefined) await killed(child);
        return null;
      }
      default:
        throw new Error(`the lab does not know "${action}"`);
    }
  }

  await listen(control);
  return {
    url: `http://${LOOPBACK}:${String(portOf(control))}`,
    async close() {
      await Promise.all([...proxies.values(), forwarder.child].map(killed));
      control.closeAllConnections();
      for (const server of [control, silent, ...fronts]) server.close();
    },
  };
}

async function listen<Listening extends Server>(server: Listening): Promise<Listening> {
  server.listen(0, LOOPBACK);
  await once(server, "listening");
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

function tlsFront(folder: string, name: Name, upstreamPort: number): Server {
  const server = createTlsServer(readPair(folder, name), (socket) => {
    const upstream = connect(upstreamPort, LOOPBACK);
    pipeline(socket, upstream, socket, () => {
      socket.destroy();
      upstream.destroy();
    });
  });
  server.on("tlsClientError", () => undefined);
  return server;
}

async function startProxy(order: ProxyOrder): Promise<[ChildProcess, number]> {
  const child = fork(PROXY, [JSON.stringify(order)], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return [child, port];
}

async function startForwarder(folder: string, ports: readonly number[]) {
  const { cert, key } = filesOf(folder, "right");
  const names = [REMOTE_NAME, FORBIDDEN_NAME, "localhost"];
  const hosts = ports.flatMap((port) => names.map((name) => `${name}:${String(port)}`));
  const child = fork(FORWARDER, {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
    env: {
      ...process.env,
      EGRESS_TOKEN,
      EGRESS_ALLOW: hosts.join(","),
      EGRESS_CERT: cert,
      EGRESS_KEY: key,
      EGRESS_HOST: LOOPBACK,
      EGRESS_PORT: "0",
      EGRESS_ALLOW_PRIVATE: "true",
    },
  });
  const lines = child.stdout;
  if (lines === null) throw new Error("the forwarder has no output");
  const [first] = (await once(lines, "data")) as [Buffer];
  lines.resume();
  const { port } = JSON.parse(first.toString()) as { port: number };
  return { child, port };
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
