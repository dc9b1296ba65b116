import { describe, expect, it } from "vitest";
import { parseFailure } from "./failure";

describe("parseFailure", () => {
  it("reads the error envelope and the fields it names", () => {
    const error = {
      code: "conflict",
      message: "Taken.",
      details: [{ path: ["credential", "apiKey"], message: "bad" }],
    };
    expect(parseFailure(409, JSON.stringify({ error }))).toEqual({
      status: 409,
      code: "conflict",
      message: "Taken.",
      problems: [{ field: "credential.apiKey", message: "bad" }],
    });
  });

  it.each(["", "<html>", "null", "[]", '{"error":"text"}', '{"error":{"code":1}}'])(
    "says that the relay failed when it answers %j",
    (text) => {
      expect(parseFailure(500, text)).toMatchObject({ code: "internal", problems: [] });
    },
  );
});
