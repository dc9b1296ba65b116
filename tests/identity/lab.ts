/**
 * Where people of the tests sign in: an OpenID provider, and a directory that is started when the first test asks for it.
 * `client.ts` is the other side.
 */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer as createHttpServer, type IncomingMessage } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream";
import { createServer as createTlsServer, type Server as TlsServer } from "node:tls";
import { readPair, writeCertificates } from "../proxies/certificates.ts";
import type { Directory, Tenant } from "./orders.ts";
import { startProvider } from "./provider.ts";
import { startSlapd, type Slapd } from "./slapd.ts";

export interface RunningIdentityLab {
  readonly url: string;
  close(): Promise<void>;
}

interface RunningDirectory {
  readonly slapd: Slapd;
  readonly front: TlsServer;
}

/** The same as everybody's, by an authority that is gone as soon as it has signed. */
async function foreignFront(targetPort: number): Promise<TlsServer> {
  const folder = mkdtempSync(join(tmpdir(), "edge-relay-foreign-ca-"));
  await writeCertificates(folder);
  const front = createTlsServer(readPair(folder, "right"), (socket) => {
    const target = connect(targetPort, "127.0.0.1");
    pipeline(socket, target, socket, () => {
      socket.destroy();
      target.destroy();
    });
  });
  rmSync(folder, { recursive: true });
  front.on("tlsClientError", () => undefined);
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  return front;
}

async function startDirectory(): Promise<RunningDirectory> {
  const slapd = await startSlapd();
  return { slapd, front: await foreignFront(slapd.ldapPort) };
}

export async function startIdentityLab(): Promise<RunningIdentityLab> {
  let starting: Promise<RunningDirectory> | null = null;
  const directory = () => (starting ??= startDirectory());
  const provider = await startProvider();

  async function answer(request: IncomingMessage): Promise<unknown> {
    const path = request.url ?? "";
    switch (path) {
      case "/provider":
        return provider.url;
      case "/tenant": {
        const { name, tenant } = JSON.parse(await textOf(request)) as { name: string; tenant: Tenant };
        provider.order(name, tenant);
        return null;
      }
      case "/directory": {
        const { slapd, front } = await directory();
        const { ldapPort, ldapsPort } = slapd;
        const foreignPort = (front.address() as AddressInfo).port;
        return { ldapPort, ldapsPort, foreignPort } satisfies Directory;
      }
      case "/modify":
        await (await directory()).slapd.modify(await textOf(request));
        return null;
      default:
        throw new Error(`the lab does not know "${path}"`);
    }
  }

  const control = createHttpServer((request, response) => {
    answer(request)
      .then((value) => {
        response.end(JSON.stringify(value));
      })
      .catch((error: unknown) => {
        response.writeHead(500).end(error instanceof Error ? error.message : String(error));
      });
  });
  control.listen(0, "127.0.0.1");
  await once(control, "listening");
  return {
    url: `http://127.0.0.1:${String((control.address() as AddressInfo).port)}`,
    async close() {
      control.closeAllConnections();
      control.close();
      provider.close();
      const running = await starting?.catch(() => null);
      running?.front.close();
      await running?.slapd.stop();
    },
  };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
