/** The directory's side of a connection: bytes in, whole answers out. Pure. */
import { MalformedBer, readElement, readElements, readNumber, type Element } from "./ber.ts";
import { DirectoryError } from "./directory-error.ts";
import type { Entry } from "./entry.ts";

/** A person's entry and the groups of one are some kilobytes. */
const BYTES_MAX = 2_000_000;

/** Of RFC 4511, section 4: universal and application tags. */
const TAG = { sequence: 0x30, bindResponse: 0x61, searchEntry: 0x64, searchDone: 0x65 } as const;

export interface Answer {
  /** The result code of RFC 4511, appendix A. */
  readonly status: number;
  /** Of a search. */
  readonly entries: readonly Entry[];
}

const notLdap = (cause: unknown) =>
  new DirectoryError("The directory does not speak LDAP. Check LDAP_URL.", { cause });

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const textOf = ({ body }: Element): string => decoder.decode(body);

/** Text, or nothing: photographs and certificates are attributes, too. */
function valueOf(element: Element): string[] {
  try {
    return [textOf(element)];
  } catch {
    return [];
  }
}

const fieldsOf = (body: Uint8Array, count: number): readonly Element[] => {
  const fields = readElements(body);
  if (fields.length < count) throw new MalformedBer("fields are missing");
  return fields;
};

function entryOf(body: Uint8Array): Entry {
  const [name, attributes] = fieldsOf(body, 2);
  if (name === undefined || attributes === undefined) throw new MalformedBer("an entry without a name");
  const values = readElements(attributes.body).map((attribute): [string, string[]] => {
    const [type, set] = fieldsOf(attribute.body, 2);
    if (type === undefined || set === undefined) throw new MalformedBer("an attribute without a name");
    return [textOf(type).toLowerCase(), readElements(set.body).flatMap(valueOf)];
  });
  return { dn: textOf(name), values: new Map(values) };
}

function joined(one: Uint8Array, other: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(one.length + other.length);
  bytes.set(one);
  bytes.set(other, one.length);
  return bytes;
}

/** What is said during one request; requests are made one at a time. */
export class Answers {
  readonly #messageId: number;
  readonly #entries: Entry[] = [];
  #bytes: Uint8Array = new Uint8Array();
  #total = 0;

  constructor(messageId: number) {
    this.#messageId = messageId;
  }

  /**
   * @returns null until the answer is whole
   * @throws DirectoryError when it is no answer to this
   */
  push(bytes: Uint8Array): Answer | null {
    this.#total += bytes.length;
    if (this.#total > BYTES_MAX) throw new DirectoryError("The directory says more than it was asked.");
    this.#bytes = joined(this.#bytes, bytes);
    try {
      return this.#next();
    } catch (error) {
      if (error instanceof DirectoryError) throw error;
      throw notLdap(error);
    }
  }

  #next(): Answer | null {
    for (let message = readElement(this.#bytes); message !== null; message = readElement(this.#bytes)) {
      if (message.tag !== TAG.sequence) throw new MalformedBer("not a message");
      this.#bytes = message.rest;
      const answer = this.#read(message.body);
      if (answer !== null) return answer;
    }
    return null;
  }

  #read(message: Uint8Array): Answer | null {
    const [id, operation] = fieldsOf(message, 2);
    if (id === undefined || operation === undefined) throw new MalformedBer("an empty message");
    // RFC 4511, section 4.4.1: what nobody asked for says that the directory is about to leave.
    if (readNumber(id) !== this.#messageId) throw new DirectoryError("The directory ended the connection.");
    if (operation.tag === TAG.searchEntry) this.#entries.push(entryOf(operation.body));
    if (operation.tag !== TAG.bindResponse && operation.tag !== TAG.searchDone) return null;
    const [status] = fieldsOf(operation.body, 1);
    if (status === undefined) throw new MalformedBer("a result without a code");
    return { status: readNumber(status), entries: this.#entries };
  }
}
