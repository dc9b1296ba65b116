/** Ports of this machine: is one free, and which one is. */
import { createServer } from "node:net";
import { once } from "node:events";

const HOST = "127.0.0.1";

/** Listens on a port for a moment; 0 lets the system choose. Rejects when the port is taken. */
async function claim(port: number): Promise<number> {
  const server = createServer();
  server.listen(port, HOST);
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : port;
}

/** The port itself when it is free, a free one when it is 0. `setting` names what the operator can change. */
export async function freePort(port: number, setting: string): Promise<number> {
  try {
    return await claim(port);
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : "unknown error";
    if (reason !== "EADDRINUSE") throw error;
    throw new Error(
      `port ${String(port)} is in use; stop what listens there or set ${setting} to another port`,
      {
        cause: error,
      },
    );
  }
}
