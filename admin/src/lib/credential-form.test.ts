import { describe, expect, it } from "vitest";
import { CREDENTIAL_JSON, credentialInput, drawCredential, readCredential } from "./credential-form";

const OAUTH = {
  type: "object",
  properties: {
    accessToken: { type: "string", title: "Access token" },
    refreshToken: {
      anyOf: [
        { type: "string", pattern: "." },
        { type: "string", const: "" },
      ],
      default: "",
    },
    expiresAt: { anyOf: [{ type: "integer" }, { type: "null" }] },
    region: { type: "string", default: "us-east-1" },
    scopes: { type: "array", items: { type: "string" } },
    extra: { type: "array", items: { type: "object" } },
  },
  required: ["accessToken", "region"],
};
const UNION = {
  anyOf: [
    {
      properties: { kind: { const: "keys" }, accessKeyId: { type: "string" } },
      required: ["kind", "accessKeyId"],
    },
    { title: "Bearer", properties: { bearerToken: { type: "string" } }, required: ["bearerToken"] },
  ],
};

function formOf(fields: Readonly<Record<string, string>>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.set(name, value);
  return form;
}
const entered = (fields: Readonly<Record<string, string>>) =>
  formOf(Object.fromEntries(Object.entries(fields).map(([name, value]) => [credentialInput(name), value])));

describe("drawCredential", () => {
  it("makes a field of each property, secret where its name or format says so", () => {
    const [variant] = drawCredential(OAUTH);
    expect(variant?.fields.map(({ label, kind, required }) => [label, kind, required])).toEqual([
      ["Access token", "secret", true],
      ["Refresh token", "secret", false],
      ["Expires at", "number", false],
      ["Region", "text", false],
      ["Scopes", "lines", false],
      ["Extra", "json", false],
    ]);
  });

  it("makes a variant of each shape of a union", () => {
    expect(drawCredential(UNION).map(({ label }) => label)).toEqual(["Access key id", "Bearer"]);
  });

  it("draws nothing for what is no schema", () => {
    expect(drawCredential(undefined)).toEqual([]);
  });
});

describe("readCredential", () => {
  it("reads each kind of field and leaves out what was left empty", () => {
    const form = entered({
      accessToken: " tok ",
      expiresAt: "123",
      region: "us-east-1",
      scopes: " a b\r\n\r\nc\n",
      extra: "[{}]",
    });
    expect(readCredential(form, OAUTH, 0)).toEqual({
      kind: "read",
      credential: {
        accessToken: "tok",
        expiresAt: 123,
        region: "us-east-1",
        scopes: ["a b", "c"],
        extra: [{}],
      },
    });
  });

  it("is empty when nothing but defaults was entered", () => {
    expect(readCredential(entered({ region: "us-east-1" }), OAUTH, 0)).toEqual({ kind: "empty" });
  });

  it("names each field that is missing or unreadable", () => {
    expect(readCredential(entered({ expiresAt: "soon", extra: "[" }), OAUTH, 0)).toEqual({
      kind: "invalid",
      problems: {
        "credential.accessToken": "is required",
        "credential.expiresAt": "must be a number",
        "credential.extra": "must be valid JSON",
      },
    });
  });

  it("sends the constants of the chosen shape along", () => {
    expect(readCredential(entered({ accessKeyId: "AK" }), UNION, 0)).toEqual({
      kind: "read",
      credential: { kind: "keys", accessKeyId: "AK" },
    });
  });

  it("takes a pasted JSON object before the fields, and nothing else than an object", () => {
    expect(readCredential(formOf({ [CREDENTIAL_JSON]: '{"a":1}' }), OAUTH, 0)).toEqual({
      kind: "read",
      credential: { a: 1 },
    });
    for (const text of ["[1]", "null", "{"]) {
      expect(readCredential(formOf({ [CREDENTIAL_JSON]: text }), OAUTH, 0).kind).toBe("invalid");
    }
  });
});
