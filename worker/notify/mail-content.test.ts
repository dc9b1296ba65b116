import { describe, expect, it } from "vitest";
import type { NoticeId } from "../domain/ids.ts";
import type { Notice } from "../domain/notice.ts";
import { headerText, mailContent } from "./mail-content.ts";

const notice = (overrides: Partial<Notice> = {}): Notice => ({
  id: "ntc_00000001" as NoticeId,
  kind: "account_blocked",
  severity: "critical",
  title: "Account closed",
  lines: [".", "a line that is long enough to be cut in the middle of its encoded form"],
  at: Date.UTC(2026, 10, 21, 15),
  subject: null,
  ...overrides,
});

const content = (overrides: Partial<Notice> = {}) =>
  mailContent(
    notice(overrides),
    { from: "relay@example.com", to: ["a@example.com", "b@example.com"] },
    Date.UTC(2026, 10, 21, 16),
  );

const decoded = (base64: string) =>
  new TextDecoder().decode(Uint8Array.from(atob(base64.replace(/\s/g, "")), (char) => char.charCodeAt(0)));

describe("mailContent", () => {
  it("has the headers of a mail that nobody answers, and the same id each time", () => {
    const [head = "", body = ""] = content().split("\r\n\r\n");
    expect(head.split("\r\n")).toEqual([
      "From: edge-relay <relay@example.com>",
      "To: a@example.com,",
      " b@example.com",
      "Subject: Account closed",
      "Date: Sat, 21 Nov 2026 16:00:00 +0000",
      "Message-ID: <ntc_00000001@example.com>",
      "MIME-Version: 1.0",
      "Content-Type: text/plain; charset=utf-8",
      "Content-Transfer-Encoding: base64",
      "Auto-Submitted: auto-generated",
    ]);
    expect(decoded(body)).toContain("Account closed\n.\na line that is long");
    expect(body.endsWith("\r\n")).toBe(true);
  });

  it("has no line that ends a message early, or that is too long", () => {
    for (const line of content({ title: "日本語".repeat(40) }).split("\r\n")) {
      expect(line.startsWith(".")).toBe(false);
      expect(line.length).toBeLessThanOrEqual(85);
    }
  });
});

describe("headerText", () => {
  it.each([
    "Über 日本 😀",
    "=?UTF-8?B?eA==?=",
    "日本語".repeat(40),
    "a".repeat(150),
    "a\r\nBcc: b@example.com",
  ])("survives its encoding, on lines of its own: %s", (text) => {
    const words = headerText(text).split("\r\n ");
    const read = words.map((word) => {
      expect(word.length).toBeLessThanOrEqual(75);
      return decoded(/^=\?UTF-8\?B\?([\w+/=]+)\?=$/.exec(word)?.[1] ?? "");
    });
    expect(read.join("")).toBe(text);
  });
});
