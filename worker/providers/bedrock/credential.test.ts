import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { credentialSchema, signInOf } from "./credential.ts";

const ACCESS_KEY = { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPx" };

const accepts = (credential: unknown) => credentialSchema.safeParse(credential).success;

describe("credentialSchema", () => {
  it.each([
    ["an access key", { region: "us-east-1", ...ACCESS_KEY }],
    ["a temporary access key", { region: "us-gov-west-1", ...ACCESS_KEY, sessionToken: "t/o+k=" }],
    ["a Bedrock API key", { region: "ap-northeast-1", bearerToken: "bedrock-api-key-x==" }],
  ])("takes %s", (_, credential) => {
    expect(accepts(credential)).toBe(true);
  });

  it.each([
    ["no region", { ...ACCESS_KEY }],
    ["nothing but a region", { region: "us-east-1" }],
    ["a secret without its id", { region: "us-east-1", secretAccessKey: "s" }],
    ["both ways at once", { region: "us-east-1", bearerToken: "b", ...ACCESS_KEY }],
    ["a session of a Bedrock API key", { region: "us-east-1", bearerToken: "b", sessionToken: "s" }],
    ["a field that nobody knows", { region: "us-east-1", bearerToken: "b", profile: "default" }],
  ])("refuses %s", (_, credential) => {
    expect(accepts(credential)).toBe(false);
  });

  it("lets no region change the host beyond its own place in it", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (before, after) => {
        const parsed = credentialSchema.safeParse({ region: `${before}us-east-1${after}`, bearerToken: "b" });
        if (parsed.success) expect(parsed.data.region).toMatch(/^[a-z\d-]{1,32}$/);
      }),
    );
  });

  it("is drawn as one form with all of its fields", () => {
    expect(z.toJSONSchema(credentialSchema, { io: "input" })).toMatchObject({
      type: "object",
      required: ["region"],
      properties: {
        region: { type: "string" },
        bearerToken: { type: "string" },
        accessKeyId: { type: "string" },
        secretAccessKey: { type: "string" },
        sessionToken: { type: "string" },
      },
    });
  });
});

describe("signInOf", () => {
  it("tells the way in, with a session token only where there is one", () => {
    const region = "us-east-1";
    expect(signInOf({ region, bearerToken: "b" })).toEqual({ kind: "bearer", token: "b" });
    expect(signInOf({ region, ...ACCESS_KEY })).toMatchObject({ kind: "accessKey", sessionToken: null });
    expect(signInOf({ region })).toBeNull();
  });
});
