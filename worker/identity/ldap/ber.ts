/** The little of BER that a directory's answers are made of (RFC 4511, section 5.1: definite lengths only). Pure. */

export class MalformedBer extends Error {}

export interface Element {
  readonly tag: number;
  readonly body: Uint8Array;
  /** What comes behind it. */
  readonly rest: Uint8Array;
}

const LONG_FORM = 0x80;
const LENGTH_BYTES_MAX = 4;

/** Where the body begins and how long it is; null: not all of that is there. */
function measured(bytes: Uint8Array): { readonly start: number; readonly length: number } | null {
  const first = bytes[1];
  if (first === undefined) return null;
  if (first < LONG_FORM) return { start: 2, length: first };
  const count = first - LONG_FORM;
  if (count === 0 || count > LENGTH_BYTES_MAX) throw new MalformedBer("a length of unknown form");
  if (bytes.length < 2 + count) return null;
  const length = bytes.subarray(2, 2 + count).reduce((sum, byte) => sum * 256 + byte, 0);
  return { start: 2 + count, length };
}

/** The first element; null: it is not whole yet. @throws MalformedBer */
export function readElement(bytes: Uint8Array): Element | null {
  const size = measured(bytes);
  const [tag] = bytes;
  if (size === null || tag === undefined) return null;
  const end = size.start + size.length;
  if (bytes.length < end) return null;
  return { tag, body: bytes.subarray(size.start, end), rest: bytes.subarray(end) };
}

/** All elements of a body. @throws MalformedBer when the last one is cut */
export function readElements(body: Uint8Array): Element[] {
  const elements: Element[] = [];
  for (let rest = body; rest.length > 0;) {
    const element = readElement(rest);
    if (element === null) throw new MalformedBer("an element is longer than what it is in");
    elements.push(element);
    ({ rest } = element);
  }
  return elements;
}

/** A number without a sign, as ids and result codes are. */
export function readNumber({ body }: Element): number {
  if (body.length === 0 || body.length > LENGTH_BYTES_MAX) throw new MalformedBer("a number of unknown size");
  return body.reduce((sum, byte) => sum * 256 + byte, 0);
}
