/** Cuts what a mail server says into replies, wherever its bytes are cut. Pure. */
import { MailError, type Reply } from "./dialogue.ts";

/** No reply of an honest server is longer. */
const REPLY_LENGTH_MAX = 16 * 1024;

const LINE = /^(\d{3})([ -]?)(.*)$/;

export class Replies {
  readonly #decoder = new TextDecoder();
  #text = "";

  push(bytes: Uint8Array): void {
    this.#text += this.#decoder.decode(bytes, { stream: true });
    if (this.#text.length > REPLY_LENGTH_MAX) throw new MailError("The mail server's answer has no end.");
  }

  /** Nothing came that was not asked for. */
  get isEmpty(): boolean {
    return this.#text === "";
  }

  /** The next whole reply; null: it has not come yet. @throws MailError for what is none */
  next(): Reply | null {
    const lines: string[] = [];
    let at = 0;
    for (;;) {
      const end = this.#text.indexOf("\n", at);
      if (end === -1) return null;
      const [, code, mark, rest = ""] = LINE.exec(this.#text.slice(at, end).replace(/\r$/, "")) ?? [];
      if (code === undefined) throw new MailError("What answers there is no mail server.");
      lines.push(rest);
      at = end + 1;
      if (mark === "-") continue;
      this.#text = this.#text.slice(at);
      return { code: Number(code), lines };
    }
  }
}
