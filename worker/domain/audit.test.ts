import { describe, expect, it } from "vitest";
import { masked, written } from "./audit.ts";

describe("masked", () => {
  it("hides secrets at any depth, and nothing else", () => {
    const thing = {
      name: "token of thanks",
      credential: { apiKey: "sk-1" },
      channels: [{ url: "https://host.test", headers: { Authorization: "Bearer x", accept: "*/*" } }],
      smtp: { password: "p", clientSecret: "s", webhookToken: "t", pin_secret: 1234 },
      key: "cr_1",
      hint: "abc",
      tokenUrl: "https://host.test/token",
      windowTokens: 5,
    };
    expect(masked(thing)).toEqual({
      name: "token of thanks",
      credential: "***",
      channels: [{ url: "https://host.test", headers: { Authorization: "***", accept: "*/*" } }],
      smtp: { password: "***", clientSecret: "***", webhookToken: "***", pin_secret: "***" },
      key: "***",
      hint: "abc",
      tokenUrl: "https://host.test/token",
      windowTokens: 5,
    });
  });

  it("leaves visible whether there is a secret", () => {
    expect(masked({ hasPassword: true, password: null, token: "" })).toEqual({
      hasPassword: true,
      password: null,
      token: "",
    });
  });
});

describe("written", () => {
  it("keeps of a change only what changed", () => {
    const before = { name: "a", groups: ["x"], enabled: true, updatedAt: 1 };
    const after = { name: "a", groups: ["x", "y"], enabled: false, updatedAt: 2 };
    expect(written({ before, after })).toEqual({
      before: '{"groups":["x"],"enabled":true}',
      after: '{"groups":["x","y"],"enabled":false}',
    });
  });

  it("keeps a new thing and a deleted one whole", () => {
    expect(written({ after: { name: "a" } })).toEqual({ before: null, after: '{"name":"a"}' });
    expect(written({ before: { name: "a" } })).toEqual({ before: '{"name":"a"}', after: null });
    expect(written({})).toEqual({ before: null, after: null });
  });

  it("shows that a secret was given, but not which", () => {
    expect(written({ before: {}, after: { credential: { apiKey: "sk-1" } } })).toEqual({
      before: "{}",
      after: '{"credential":"***"}',
    });
  });
});
