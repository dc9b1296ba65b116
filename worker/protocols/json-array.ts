/**
 * Follows a JSON array as it arrives in pieces: hands out its elements one by one, and knows at every byte what
 * would close what is still open. Pure.
 */
import type { ElementFrame } from "./protocol.ts";

/** Elements larger than this are passed over unread: usage and errors are never that large. */
const ELEMENT_BYTES_MAX = 1_000_000;
/** No answer nests deeper; what does is followed no further. */
const DEPTH_MAX = 500;
/** No number or word of JSON that means anything is longer. */
const LITERAL_LENGTH_MAX = 400;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
const OPEN_BRACKET = 0x5b;
const CLOSE_BRACKET = 0x5d;
const LETTER_U = 0x75;
const HEX_DIGITS = 4;

const isSpace = (byte: number) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
/** A byte order mark may come first, in pieces. */
const isBomByte = (byte: number) => byte === 0xef || byte === 0xbb || byte === 0xbf;
const isStructural = (byte: number) =>
  byte === COMMA || byte === CLOSE_BRACE || byte === CLOSE_BRACKET || isSpace(byte);

export interface JsonArrayOptions {
  /** The bytes of one element that is an object. */
  readonly onElement: (bytes: Uint8Array) => void;
  readonly elementBytesMax?: number;
  readonly onOversized?: () => void;
}

export class JsonArrayReader {
  readonly #options: JsonArrayOptions;
  /** The closing brackets still owed, the innermost last. */
  readonly #owed: string[] = [];
  /** What the grammar wants next, outside strings and literals. */
  #next: "key" | "colon" | "value" | "comma" = "value";
  /** A comma or a colon came before: something must follow. */
  #mustFollow = false;
  #inString = false;
  #isKey = false;
  #escaped = false;
  #hexLeft = 0;
  #literal = "";
  #state: "before" | "open" | "closed" | "broken" = "before";
  #element: Uint8Array[] | null = null;
  #elementBytes = 0;

  constructor(options: JsonArrayOptions) {
    this.#options = options;
  }

  /** No element is under way. */
  get atBoundary(): boolean {
    return this.#owed.length <= 1 && !this.#inString && this.#literal === "";
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  /** What one more element needs around it, after the bytes so far; null: nothing can follow them. */
  get frame(): ElementFrame | null {
    switch (this.#state) {
      case "before":
        return { before: "[", after: "]" };
      case "open": {
        const closing = this.#valueEnd() + this.#owed.slice(1).reverse().join("");
        const between = this.atBoundary && this.#next === "value" ? "" : ",";
        return { before: this.atBoundary && this.#next === "value" ? "" : closing + between, after: "]" };
      }
      case "closed":
      case "broken":
        return null;
    }
  }

  push(bytes: Uint8Array): void {
    let start = this.#element === null ? -1 : 0;
    for (let at = 0; at < bytes.length; at++) {
      if (this.#inString) at = this.#skipText(bytes, at);
      const byte = bytes[at];
      if (byte === undefined) break;
      const isOpening = byte === OPEN_BRACE && !this.#inString && this.#owed.length === 1;
      this.#step(byte);
      if (isOpening) {
        start = at;
        this.#element = [];
      } else if (start !== -1 && this.#owed.length === 1 && byte === CLOSE_BRACE && !this.#inString) {
        this.#collect(bytes.subarray(start, at + 1));
        this.#emit();
        start = -1;
      }
    }
    if (start !== -1) this.#collect(bytes.subarray(start).slice());
  }

  /** Text inside a string needs no state. @returns where a quote, a backslash or the end is */
  #skipText(bytes: Uint8Array, from: number): number {
    let at = from;
    if (this.#escaped || this.#hexLeft > 0) return at;
    while (at < bytes.length && bytes[at] !== QUOTE && bytes[at] !== BACKSLASH) at++;
    return at;
  }

  #collect(bytes: Uint8Array): void {
    this.#elementBytes += bytes.length;
    const isTooLarge = this.#elementBytes > (this.#options.elementBytesMax ?? ELEMENT_BYTES_MAX);
    if (isTooLarge) this.#element = [];
    else this.#element?.push(bytes);
  }

  #emit(): void {
    const [parts, size] = [this.#element ?? [], this.#elementBytes];
    this.#element = null;
    this.#elementBytes = 0;
    if (size > (this.#options.elementBytesMax ?? ELEMENT_BYTES_MAX)) {
      this.#options.onOversized?.();
      return;
    }
    const element = new Uint8Array(size);
    let at = 0;
    for (const part of parts) {
      element.set(part, at);
      at += part.length;
    }
    this.#options.onElement(element);
  }

  #step(byte: number): void {
    if (this.#inString) {
      this.#stringByte(byte);
      return;
    }
    if (this.#literal !== "") {
      if (!isStructural(byte)) {
        this.#literalByte(byte);
        return;
      }
      this.#literal = "";
      this.#ended();
    }
    if (isSpace(byte) || this.#state === "broken") return;
    if (this.#state === "open") this.#openByte(byte);
    else if (this.#state === "closed") this.#state = "broken";
    else if (byte === OPEN_BRACKET) this.#open("]", "value");
    else if (!isBomByte(byte)) this.#state = "broken";
  }

  #stringByte(byte: number): void {
    if (this.#hexLeft > 0) this.#hexLeft--;
    else if (this.#escaped) {
      this.#escaped = false;
      if (byte === LETTER_U) this.#hexLeft = HEX_DIGITS;
    } else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) {
      this.#inString = false;
      this.#ended();
    }
  }

  #literalByte(byte: number): void {
    if (this.#literal.length >= LITERAL_LENGTH_MAX) this.#state = "broken";
    else this.#literal += String.fromCharCode(byte);
  }

  /** A value or a key has ended. */
  #ended(): void {
    this.#next = this.#isKey ? "colon" : "comma";
    this.#isKey = false;
    this.#mustFollow = false;
  }

  #open(closer: string, next: "key" | "value"): void {
    this.#state = this.#owed.length >= DEPTH_MAX ? "broken" : "open";
    this.#owed.push(closer);
    this.#next = next;
    this.#mustFollow = false;
  }

  #openByte(byte: number): void {
    switch (byte) {
      case QUOTE:
        this.#inString = true;
        this.#isKey = this.#next === "key";
        return;
      case OPEN_BRACE:
        this.#open("}", "key");
        return;
      case OPEN_BRACKET:
        this.#open("]", "value");
        return;
      case CLOSE_BRACE:
      case CLOSE_BRACKET:
        if (this.#owed.pop() !== String.fromCharCode(byte)) this.#state = "broken";
        else if (this.#owed.length === 0) this.#state = "closed";
        this.#ended();
        return;
      case COLON:
        this.#next = "value";
        this.#mustFollow = true;
        return;
      case COMMA:
        this.#next = this.#owed.at(-1) === "}" ? "key" : "value";
        this.#mustFollow = true;
        return;
      default:
        this.#literal = String.fromCharCode(byte);
    }
  }

  /** What makes a whole value or field of what is half said. */
  #valueEnd(): string {
    if (this.#inString) {
      const escape = this.#escaped ? "\\" : "0".repeat(this.#hexLeft);
      return `${escape}"${this.#isKey ? ":null" : ""}`;
    }
    if (this.#literal !== "") return literalEnd(this.#literal);
    if (this.#next === "colon") return ":null";
    if (!this.#mustFollow) return "";
    return this.#next === "key" ? '"":null' : "null";
  }
}

function literalEnd(literal: string): string {
  const word = ["true", "false", "null"].find((whole) => whole.startsWith(literal));
  if (word !== undefined) return word.slice(literal.length);
  return /\d$/.test(literal) ? "" : "0";
}
