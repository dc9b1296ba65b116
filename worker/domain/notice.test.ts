import { describe, expect, it } from "vitest";
import { cutLine, quoted, timeText } from "./notice.ts";

describe("quoted", () => {
  it.each([
    ["sk-ant-api03-abcdefghij", "[secret]"],
    ["Bearer abc.def", "Bearer [secret]"],
    ["key cr_0123456789abcdef refused", "key [secret] refused"],
    ["https://me:password@host/", "https://[secret]host/"],
    ["GET /v1?key=abc&x=1", "GET /v1?key=[secret]&x=1"],
    ["eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig", "[secret]"],
    ["AKIAIOSFODNN7EXAMPLE", "[secret]"],
    ["request 011CSHoEeqs5C35K2UUqR7Fy00000000 failed", "request [secret] failed"],
  ])("hides what looks like a secret: %s", (text, shown) => {
    expect(quoted(text)).toBe(shown);
  });

  it("leaves plain words, dates and model names", () => {
    const text = "claude-opus-4-5 is limited until 2026-11-21T15:00Z (rate_limit_error).";
    expect(quoted(text)).toBe(text);
  });

  it("cuts what is long, however it is made", () => {
    expect(quoted("word ".repeat(100_000))).toHaveLength(300);
    expect(quoted("a".repeat(1_000_000)).length).toBeLessThanOrEqual(300);
  });
});

describe("cutLine", () => {
  it("makes one line, without marks that reorder or hide text", () => {
    expect(cutLine("a\r\nb\u202e\u200bc\u0000", 10)).toBe("a b c");
  });

  it("never cuts a character in two", () => {
    expect(cutLine("😀😀😀😀", 3)).toBe("😀😀…");
  });
});

describe("timeText", () => {
  it("says the minute, in UTC", () => {
    expect(timeText(Date.UTC(2026, 10, 21, 5, 7, 59, 999))).toBe("2026-11-21 05:07 UTC");
  });
});
