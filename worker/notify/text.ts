/** A notice as plain text, in the lengths that receivers allow. Pure. */
import { timeText, type Notice } from "../domain/notice.ts";

/** What was observed and when, without the title. */
export const detailsOf = ({ lines, at }: Notice): string => [...lines, timeText(at)].join("\n");

export const textOf = (notice: Notice): string => `${notice.title}\n${detailsOf(notice)}`;

/** @param length in UTF-16 units, as most receivers count */
export function cut(text: string, length: number): string {
  if (text.length <= length) return text;
  return `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, "")}…`;
}

/** Of a text's UTF-8 so many bytes, and no part of a character. */
export function cutBytes(text: string, bytes: number): string {
  const encoded = new TextEncoder().encode(text);
  if (encoded.length <= bytes) return text;
  return new TextDecoder().decode(encoded.subarray(0, bytes - 3)).replace(/\ufffd+$/, "") + "…";
}
