/** Sends one message over a connection of its own, within a time limit. */
import { connect } from "cloudflare:sockets";
import { assertAllowedHost } from "../guard.ts";
import { Line } from "../tunnel/line.ts";
import { dialogueOf, MailError, type Mail, type MailServer, type MailStep, type Reply } from "./dialogue.ts";
import { Replies } from "./replies.ts";

/** What makes the connection secure from its start, for the platform. */
const TRANSPORT = { tls: "on", starttls: "starttls", none: "off" } as const satisfies Record<
  MailServer["security"],
  string
>;

const QUIT = new TextEncoder().encode("QUIT\r\n");

class Connection {
  readonly #line: Line;
  readonly #host: string;
  readonly #replies = new Replies();
  #reader: ReadableStreamDefaultReader<Uint8Array>;
  #writer: WritableStreamDefaultWriter<Uint8Array>;

  constructor(line: Line, host: string) {
    this.#line = line;
    this.#host = host;
    this.#reader = line.readable.getReader();
    this.#writer = line.writable.getWriter();
  }

  async take(step: MailStep): Promise<Reply> {
    switch (step.kind) {
      case "say":
        if (step.text !== "") await this.#line.wait(this.#writer.write(new TextEncoder().encode(step.text)));
        return this.#reply();
      case "secure":
        await this.#secure();
        return { code: 220, lines: [] };
    }
  }

  async #reply(): Promise<Reply> {
    for (;;) {
      const reply = this.#replies.next();
      if (reply !== null) return reply;
      const { value, done } = await this.#line.wait(this.#reader.read());
      if (done) throw new MailError("The mail server closed the connection.");
      this.#replies.push(value);
    }
  }

  async #secure(): Promise<void> {
    // What came before TLS could have been put there by anybody on the way (RFC 3207, section 4.2).
    if (!this.#replies.isEmpty) throw new MailError("The mail server said more than was asked before TLS.");
    this.#reader.releaseLock();
    this.#writer.releaseLock();
    await this.#line.secure(this.#host);
    this.#reader = this.#line.readable.getReader();
    this.#writer = this.#line.writable.getWriter();
  }

  /** The message is with the server: that it is told goodbye changes nothing. */
  async quit(): Promise<void> {
    await this.#line.wait(this.#writer.write(QUIT)).catch(() => undefined);
  }
}

/**
 * @throws MailError when the server refuses or cannot be reached, RelayError when it may not be asked
 */
export async function sendMail(mail: Mail, allowPrivate: boolean, timeoutMs: number): Promise<void> {
  const { host, port, security } = mail.server;
  assertAllowedHost(host, allowPrivate);
  const hostname = host.includes(":") ? `[${host}]` : host;
  const line = new Line(
    connect({ hostname, port }, { secureTransport: TRANSPORT[security], allowHalfOpen: false }),
  );
  const timer = setTimeout(() => {
    line.interrupt(new MailError("The mail server did not answer in time."));
  }, timeoutMs);
  try {
    await line.opened;
    await converse(new Connection(line, host), mail);
  } catch (error) {
    if (error instanceof MailError) throw error;
    throw new MailError("The mail server could not be reached. Check its address, its port and its TLS.", {
      cause: error,
    });
  } finally {
    clearTimeout(timer);
    line.close();
  }
}

async function converse(connection: Connection, mail: Mail): Promise<void> {
  const dialogue = dialogueOf(mail);
  for (let step = dialogue.next(); step.done !== true;) {
    step = dialogue.next(await connection.take(step.value));
  }
  await connection.quit();
}
