/** A notice as an e-mail: its headers and its body (RFC 5322, RFC 2045, RFC 2047). Pure. */
import { toBase64 } from "../domain/encoding.ts";
import type { EpochMs } from "../domain/ids.ts";
import { textOf } from "./text.ts";
import type { Notice } from "../domain/notice.ts";

/** RFC 2045: lines of encoded text have so many characters at most. */
const LINE_LENGTH = 76;
/** Bytes of text of one encoded word: 75 characters with its frame (RFC 2047, section 2). */
const WORD_BYTES = 45;

const encoder = new TextEncoder();

/** A header's text: as it is where it may be, else in encoded words, none of which splits a character. */
export function headerText(text: string): string {
  if (/^[\x20-\x7e]{0,60}$/.test(text) && !text.includes("=?")) return text;
  const words: string[] = [];
  let word = "";
  for (const character of text) {
    if (encoder.encode(word + character).length > WORD_BYTES) {
      words.push(word);
      word = "";
    }
    word += character;
  }
  return [...words, word].map((each) => `=?UTF-8?B?${toBase64(encoder.encode(each))}?=`).join("\r\n ");
}

/** Base64 has no dot, so no line of it can be taken for the end of the message. */
const bodyOf = (text: string): string =>
  toBase64(encoder.encode(text)).replace(new RegExp(`.{1,${String(LINE_LENGTH)}}`, "g"), "$&\r\n");

export function mailContent(
  notice: Notice,
  { from, to }: { readonly from: string; readonly to: readonly string[] },
  now: EpochMs,
): string {
  const headers = [
    `From: edge-relay <${from}>`,
    `To: ${to.join(",\r\n ")}`,
    `Subject: ${headerText(notice.title)}`,
    `Date: ${new Date(now).toUTCString().replace("GMT", "+0000")}`,
    // A message that comes twice is known by its id.
    `Message-ID: <${notice.id}@${from.slice(from.lastIndexOf("@") + 1)}>`,
    "MIME-Version: 1.0",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: base64",
    "Auto-Submitted: auto-generated",
  ];
  return `${headers.join("\r\n")}\r\n\r\n${bodyOf(textOf(notice))}`;
}
