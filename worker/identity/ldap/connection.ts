/**
 * One connection to a directory. Of the package only the requests are used: its client traces every one of them, DNs
 * and filters included, to `node:util`'s debuglog, which workerd prints whatever NODE_DEBUG says.
 */
import { connect } from "cloudflare:sockets";
import { BindRequest, FilterParser, SearchRequest, UnbindRequest } from "ldapts";
import type { LdapSettings } from "../../domain/sign-in-settings.ts";
import { assertAllowedHost } from "../../net/guard.ts";
import { Line } from "../../net/tunnel/line.ts";
import { Answers, type Answer } from "./answers.ts";
import { DirectoryError } from "./directory-error.ts";
import type { Entry } from "./entry.ts";

/** RFC 4511, appendix A.1. */
const SUCCESS = 0;
const SIZE_LIMIT_EXCEEDED = 4;
/**
 * No such object, invalid DN, inappropriate authentication, invalid credentials, insufficient access, unwilling to
 * perform, constraint violation: the password is not taken. Anything else is the directory's trouble.
 */
const REFUSALS = new Set([19, 32, 34, 48, 49, 50, 53]);

function parsed(filter: string) {
  try {
    return FilterParser.parseString(filter);
  } catch {
    // Its message has the filter in it, and with that a name.
    throw new DirectoryError("LDAP_SEARCH_FILTER or LDAP_GROUP_SEARCH_FILTER is not a filter.");
  }
}

export interface Search {
  readonly base: string;
  readonly filter: string;
  readonly attributes: readonly string[];
  readonly entriesMax: number;
}

type Place = Pick<LdapSettings, "url" | "timeoutMs" | "allowPrivate">;

interface Sent {
  readonly messageId: number;
  write(): Uint8Array;
}

export class Connection {
  readonly #line: Line;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array>;
  #messageId = 0;

  constructor(line: Line) {
    this.#line = line;
    this.#reader = line.readable.getReader();
    this.#writer = line.writable.getWriter();
  }

  /** @returns false when the directory does not take the password */
  async bind(dn: string, password: string): Promise<boolean> {
    // RFC 4513, section 5.1.2: an empty password makes anybody welcome, as nobody in particular.
    if (password === "") return false;
    const { status } = await this.#ask(new BindRequest({ messageId: this.#nextId(), dn, password }));
    if (status === SUCCESS) return true;
    if (REFUSALS.has(status)) return false;
    throw new DirectoryError(`The directory failed at a bind with the result ${String(status)}.`);
  }

  async search({ base, filter, attributes, entriesMax }: Search): Promise<readonly Entry[]> {
    const request = new SearchRequest({
      messageId: this.#nextId(),
      baseDN: base,
      scope: "sub",
      filter: parsed(filter),
      attributes: [...attributes],
      sizeLimit: entriesMax,
    });
    const { status, entries } = await this.#ask(request);
    if (status === SUCCESS || status === SIZE_LIMIT_EXCEEDED) return entries;
    throw new DirectoryError(
      `The directory failed at a search with the result ${String(status)}. Check the search bases and the filters.`,
    );
  }

  /** That the directory is told goodbye changes nothing. */
  async unbind(): Promise<void> {
    const request = new UnbindRequest({ messageId: this.#nextId() });
    await this.#line.wait(this.#writer.write(request.write())).catch(() => undefined);
  }

  #nextId(): number {
    return ++this.#messageId;
  }

  async #ask(request: Sent): Promise<Answer> {
    await this.#line.wait(this.#writer.write(request.write()));
    const answers = new Answers(request.messageId);
    for (;;) {
      const { value, done } = await this.#line.wait(this.#reader.read());
      if (done) throw new DirectoryError("The directory closed the connection.");
      const answer = answers.push(value);
      if (answer !== null) return answer;
    }
  }
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { "ldap:": 389, "ldaps:": 636 };

/**
 * Does something over a connection of its own, within the time limit.
 *
 * @throws DirectoryError when the directory cannot be reached or does not keep to the protocol, RelayError when it may
 * not be asked
 */
export async function withConnection<Result>(
  { url, timeoutMs, allowPrivate }: Place,
  work: (connection: Connection) => Promise<Result>,
): Promise<Result> {
  const { protocol, hostname, port } = new URL(url);
  assertAllowedHost(hostname.replace(/^\[|\]$/g, ""), allowPrivate);
  const address = { hostname, port: port === "" ? (DEFAULT_PORTS[protocol] ?? 0) : Number(port) };
  const secureTransport = protocol === "ldaps:" ? "on" : "off";
  const line = new Line(connect(address, { secureTransport, allowHalfOpen: false }));
  const timer = setTimeout(() => {
    line.interrupt(new DirectoryError("The directory did not answer in time."));
  }, timeoutMs);
  try {
    await line.opened;
    const connection = new Connection(line);
    const result = await work(connection);
    await connection.unbind();
    return result;
  } catch (error) {
    if (error instanceof DirectoryError) throw error;
    throw new DirectoryError(
      "The directory could not be reached. Check LDAP_URL, and that its certificate is one that everybody trusts.",
      { cause: error },
    );
  } finally {
    clearTimeout(timer);
    line.close();
  }
}
