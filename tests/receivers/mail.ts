/** Mail servers as operators have them: they want a sign-in, and TLS before it. */
import type { AddressInfo } from "node:net";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import type { KeyPair } from "../proxies/certificates.ts";
import { MAIL_USER, type Receivers } from "./orders.ts";

export interface Mail {
  readonly to: readonly string[];
  readonly text: string;
}

/** Addresses that begin so are refused. */
const UNKNOWN = "unknown-";

function optionsOf(file: (mail: Mail) => void): SMTPServerOptions {
  return {
    authMethods: ["PLAIN", "LOGIN"],
    onAuth({ username, password }, _session, done) {
      const isKnown = username === MAIL_USER.username && password === MAIL_USER.password;
      if (isKnown) done(null, { user: username });
      else done(new Error("Invalid user name or password"));
    },
    onRcptTo({ address }, _session, done) {
      done(address.startsWith(UNKNOWN) ? new Error("no such user") : undefined);
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        file({ to, text: Buffer.concat(chunks).toString() });
        done();
      });
    },
  };
}

export interface MailServers {
  readonly ports: Receivers["mail"];
  close(): Promise<void>;
}

export async function startMailServers(
  { right, wrong }: { readonly right: KeyPair; readonly wrong: KeyPair },
  file: (mail: Mail) => void,
): Promise<MailServers> {
  const options = optionsOf(file);
  const servers = [
    new SMTPServer({ ...options, ...right }),
    new SMTPServer({ ...options, ...right, secure: true, authMethods: ["LOGIN"] }),
    new SMTPServer({ ...options, hideSTARTTLS: true, authOptional: true }),
    new SMTPServer({ ...options, ...wrong }),
  ];
  const ports = await Promise.all(servers.map(listen));
  const [starttls = 0, tls = 0, plain = 0, wrongPort = 0] = ports;
  return {
    ports: { starttls, tls, plain, wrong: wrongPort },
    close: async () => {
      await Promise.all(servers.map((server) => new Promise<void>((resolve) => server.close(resolve))));
    },
  };
}

function listen(smtp: SMTPServer): Promise<number> {
  // A client that breaks off is no fault of the server's.
  smtp.on("error", () => undefined);
  return new Promise((resolve) => {
    const server = smtp.listen(0, "127.0.0.1", () => {
      resolve((server.address() as AddressInfo).port);
    });
  });
}
