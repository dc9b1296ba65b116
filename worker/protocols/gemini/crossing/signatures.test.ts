import { describe, expect, it } from "vitest";
import { NO_SIGNATURE, readSignature, signatureText } from "./signatures.ts";

describe("thought signatures", () => {
  it("of Gemini's stay as they are", () => {
    const bound = { origin: "gemini", data: "EjQKMgERTTIPl8hG0o8/yGxHLx0Zk2uD3VtV0w==" } as const;
    expect(signatureText(bound)).toBe(bound.data);
    expect(readSignature(bound.data)).toEqual(bound);
  });

  it.each(["anthropic", "openai-chat", "openai-responses"] as const)(
    "of %s are base64 here, and come back from clients that write it otherwise",
    (origin) => {
      const bound = { origin, data: "ErUBCkYIBxgCIkA+/ü>?~" };
      const text = signatureText(bound);
      expect(text).toMatch(/^[A-Za-z0-9+/]+=*$/);
      expect(readSignature(text)).toEqual(bound);
      const urlSafe = text.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "");
      expect(readSignature(urlSafe)).toEqual(bound);
    },
  );

  it("are none where something stands in for them", () => {
    for (const text of ["", NO_SIGNATURE, btoa(NO_SIGNATURE), "context_engineering_is_the_way_to_go"]) {
      expect(readSignature(text)).toBeNull();
    }
  });

  it("may be anything at all", () => {
    expect(readSignature("not base64 %%%")).toEqual({ origin: "gemini", data: "not base64 %%%" });
  });
});
