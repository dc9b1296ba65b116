/** As much of the package as the tests use; its own types would bring a cloud vendor's along. */
declare module "smtp-server" {
  import type { Server } from "node:net";
  import type { Readable } from "node:stream";

  type Done = (error?: Error | null, answer?: { readonly user: string }) => void;

  export interface SMTPServerSession {
    readonly envelope: { readonly rcptTo: readonly { readonly address: string }[] };
  }

  export interface SMTPServerOptions {
    readonly secure?: boolean;
    readonly cert?: string;
    readonly key?: string;
    readonly authMethods?: readonly string[];
    readonly authOptional?: boolean;
    readonly hideSTARTTLS?: boolean;
    onAuth?(
      auth: { readonly username: string; readonly password: string },
      session: SMTPServerSession,
      done: Done,
    ): void;
    onRcptTo?(address: { readonly address: string }, session: SMTPServerSession, done: Done): void;
    onData?(stream: Readable, session: SMTPServerSession, done: Done): void;
  }

  export class SMTPServer {
    constructor(options: SMTPServerOptions);
    listen(port: number, host: string, listening: () => void): Server;
    close(closed: () => void): void;
    on(event: "error", listener: (error: Error) => void): this;
  }
}
