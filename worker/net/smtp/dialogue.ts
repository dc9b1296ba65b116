/**
 * A client's half of SMTP submission (RFC 5321, RFC 3207, RFC 4954) for one message. Pure. It never says a password
 * over a connection that can be read: where STARTTLS is asked for and not offered, it ends.
 */
import { toBase64 } from "../../domain/encoding.ts";

export interface MailServer {
  readonly host: string;
  readonly port: number;
  /** How the connection is kept from being read: from its first byte, after STARTTLS, or not at all. */
  readonly security: "tls" | "starttls" | "none";
  readonly username: string | null;
  readonly password: string | null;
}

export interface Mail {
  readonly server: MailServer;
  readonly from: string;
  readonly to: readonly string[];
  /** Headers and body, in lines that end with CRLF, none of which begins with a dot. */
  readonly content: string;
}

export interface Reply {
  readonly code: number;
  /** Its lines without their codes. */
  readonly lines: readonly string[];
}

export type MailStep =
  /** Sends, if there is anything to send, and waits for the server's reply. */
  | { readonly kind: "say"; readonly text: string }
  /** From here on everything is inside TLS. */
  | { readonly kind: "secure" };

/** Its message is for people: it says at which step, and nothing that the server said but its code. */
export class MailError extends Error {}

type Dialogue = Generator<MailStep, void, Reply>;

const say = (text: string): MailStep => ({ kind: "say", text: text === "" ? "" : `${text}\r\n` });

const textToBase64 = (text: string): string => toBase64(new TextEncoder().encode(text));

/** @throws MailError unless the reply's code begins like this one */
function expect(reply: Reply, hundreds: 2 | 3, what: string): Reply {
  if (Math.floor(reply.code / 100) === hundreds) return reply;
  throw new MailError(`The mail server refused ${what} (${String(reply.code)}).`);
}

/** The address literal that clients without a name of their own use (RFC 5321, section 4.1.3). */
const HELLO = "EHLO [127.0.0.1]";

function* greet(): Generator<MailStep, readonly string[], Reply> {
  const { lines } = expect(yield say(HELLO), 2, "the greeting");
  return lines.slice(1).map((line) => line.trim().toUpperCase());
}

function* signIn(capabilities: readonly string[], username: string, password: string): Dialogue {
  const methods = capabilities.find((each) => /^AUTH[ =]/.test(each))?.split(/[ =]/) ?? [];
  if (methods.includes("PLAIN")) {
    expect(yield say(`AUTH PLAIN ${textToBase64(`\0${username}\0${password}`)}`), 2, "the sign-in");
    return;
  }
  if (!methods.includes("LOGIN")) {
    throw new MailError("The mail server offers no sign-in that the relay knows (PLAIN, LOGIN).");
  }
  expect(yield say("AUTH LOGIN"), 3, "the sign-in");
  expect(yield say(textToBase64(username)), 3, "the sign-in");
  expect(yield say(textToBase64(password)), 2, "the sign-in");
}

/** @throws MailError when the server refuses */
export function* dialogueOf({ server, from, to, content }: Mail): Dialogue {
  expect(yield say(""), 2, "the connection");
  let capabilities = yield* greet();
  if (server.security === "starttls") {
    if (!capabilities.includes("STARTTLS")) {
      throw new MailError("The mail server offers no STARTTLS: use its TLS port (465) instead.");
    }
    expect(yield say("STARTTLS"), 2, "STARTTLS");
    yield { kind: "secure" };
    capabilities = yield* greet();
  }
  const { username, password } = server;
  if (username !== null && password !== null) yield* signIn(capabilities, username, password);
  expect(yield say(`MAIL FROM:<${from}>`), 2, `the sender ${from}`);
  for (const address of to) expect(yield say(`RCPT TO:<${address}>`), 2, `the recipient ${address}`);
  expect(yield say("DATA"), 3, "the message");
  expect(yield say(`${content}.`), 2, "the message");
}
