import { describe, expect, it } from "vitest";
import { dialogueOf, MailError, type Mail, type MailServer, type Reply } from "./dialogue.ts";
import { Replies } from "./replies.ts";

const mail = (server: Partial<MailServer> = {}): Mail => ({
  server: {
    host: "mail.example.com",
    port: 587,
    security: "starttls",
    username: "me",
    password: "pässword",
    ...server,
  },
  from: "a@example.com",
  to: ["b@example.com", "c@example.com"],
  content: "Subject: x\r\n\r\nbody\r\n",
});

/** What the client says to a server that answers in turn. */
function said(message: Mail, replies: readonly (readonly [number, ...string[]])[]): string[] {
  const texts: string[] = [];
  const dialogue = dialogueOf(message);
  let step = dialogue.next();
  for (const [code, ...lines] of replies) {
    if (step.done === true) break;
    if (step.value.kind === "secure") {
      texts.push("(TLS)");
      step = dialogue.next({ code: 220, lines: [] });
      if (step.done === true) break;
    }
    if (step.value.kind === "say") texts.push(step.value.text.trimEnd());
    step = dialogue.next({ code, lines });
  }
  expect(step.done).toBe(true);
  return texts;
}

const OK = [250] as const;
const PLAIN = [250, "hello", "AUTH PLAIN LOGIN"] as const;
const TAIL = [OK, OK, OK, [354], OK] as const;

describe("dialogueOf", () => {
  it("signs in only after TLS has begun", () => {
    const texts = said(mail(), [[220], [250, "hello", "STARTTLS"], [220], PLAIN, [235], ...TAIL]);
    expect(texts).toEqual([
      "",
      "EHLO [127.0.0.1]",
      "STARTTLS",
      "(TLS)",
      "EHLO [127.0.0.1]",
      "AUTH PLAIN AG1lAHDDpHNzd29yZA==",
      "MAIL FROM:<a@example.com>",
      "RCPT TO:<b@example.com>",
      "RCPT TO:<c@example.com>",
      "DATA",
      "Subject: x\r\n\r\nbody\r\n.",
    ]);
  });

  it("uses LOGIN where there is no PLAIN", () => {
    const replies = [[220], [250, "hello", "AUTH LOGIN"], [334], [334], [235], ...TAIL] as const;
    const texts = said(mail({ security: "tls" }), replies);
    expect(texts.slice(2, 5)).toEqual(["AUTH LOGIN", "bWU=", "cMOkc3N3b3Jk"]);
  });

  it.each([
    ["no STARTTLS is offered", [[220], PLAIN], "offers no STARTTLS"],
    ["the connection is refused", [[554]], "refused the connection (554)"],
    ["TLS is refused", [[220], [250, "hello", "STARTTLS"], [454]], "refused STARTTLS (454)"],
    ["no known sign-in is offered", [[220], [250, "", "STARTTLS"], [220], [250, ""]], "offers no sign-in"],
    [
      "the sign-in is refused",
      [[220], [250, "", "STARTTLS"], [220], PLAIN, [535, "cMOkc3N3b3Jk"]],
      "refused the sign-in (535)",
    ],
    [
      "a recipient is refused",
      [[220], [250, "", "STARTTLS"], [220], PLAIN, [235], OK, OK, [550]],
      "refused the recipient c@example.com (550)",
    ],
  ] as const)("ends when %s", (_, replies, message) => {
    expect(() => said(mail(), replies)).toThrow(message);
  });
});

describe("Replies", () => {
  const bytes = new TextEncoder().encode("250-hello\r\n250-STARTTLS\r\n250 END\r\n354 go\n");
  const expected: Reply[] = [
    { code: 250, lines: ["hello", "STARTTLS", "END"] },
    { code: 354, lines: ["go"] },
  ];

  it.each([1, 2, 3, 5, 7, 64])("gives the same replies in slices of %i", (size) => {
    const replies = new Replies();
    const got: Reply[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      replies.push(bytes.subarray(at, at + size));
      for (let reply = replies.next(); reply !== null; reply = replies.next()) got.push(reply);
    }
    expect(got).toEqual(expected);
    expect(replies.isEmpty).toBe(true);
  });

  it("refuses what is no mail server, and what never ends", () => {
    const web = new Replies();
    web.push(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n"));
    expect(() => web.next()).toThrow(MailError);
    expect(() => {
      new Replies().push(new Uint8Array(20_000).fill(97));
    }).toThrow("has no end");
  });
});
