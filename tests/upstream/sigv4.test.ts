/** The fake's signatures are AWS's own, and the product's are the fake's: two implementations and published figures. */
import { describe, expect, it } from "vitest";
import { createBedrockRequest } from "../../worker/providers/bedrock/request.ts";
import { bedrockSecret } from "./bedrock-keys.ts";
import { parseAuthorization, signatureOf, type SignedRequest } from "./sigv4.ts";

const EMPTY = Buffer.alloc(0);
/** The secret of AWS's published examples. */
const SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

describe("signatureOf", () => {
  it("signs the request of AWS's test suite (get-vanilla) as it is published", () => {
    const request: SignedRequest = {
      method: "GET",
      path: "/",
      headers: { host: "example.amazonaws.com", "x-amz-date": "20150830T123600Z" },
      body: EMPTY,
    };
    const scope = { date: "20150830", region: "us-east-1", service: "service" };
    expect(signatureOf(request, { ...scope, signedHeaders: ["host", "x-amz-date"] }, SECRET)).toBe(
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    );
  });

  it("signs the request of AWS's general reference (IAM ListUsers) as it is published", () => {
    const request: SignedRequest = {
      method: "GET",
      path: "/?Action=ListUsers&Version=2010-05-08",
      headers: {
        "content-type": "application/x-www-form-urlencoded; charset=utf-8",
        host: "iam.amazonaws.com",
        "x-amz-date": "20150830T123600Z",
      },
      body: EMPTY,
    };
    const scope = { date: "20150830", region: "us-east-1", service: "iam" };
    const signedHeaders = ["content-type", "host", "x-amz-date"];
    expect(signatureOf(request, { ...scope, signedHeaders }, SECRET)).toBe(
      "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
    );
  });
});

const NOW = Date.UTC(2026, 10, 21, 12, 0, 5, 678);
const ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE";

async function signedByProduct(model: string, credential: Record<string, string> = {}) {
  const call = {
    protocol: "anthropic",
    operation: "generate",
    model,
    stream: true,
    path: "/v1/messages",
    query: "beta=true",
    headers: new Headers({ "user-agent": "test  agent", "accept-language": "en" }),
    body: new TextEncoder().encode('{"model":"m","messages":[]}'),
    affinity: null,
  } as const;
  const secretAccessKey = bedrockSecret(ACCESS_KEY);
  const account = { accessKeyId: ACCESS_KEY, secretAccessKey, region: "eu-west-3", ...credential };
  const { url, headers, body } = await createBedrockRequest(call, account, null, NOW);
  const { host, pathname, search } = new URL(url);
  const seen: Record<string, string> = { host, ...Object.fromEntries(headers) };
  return { method: "POST", path: pathname + search, headers: seen, body: Buffer.from(body) };
}

describe("the product's signature", () => {
  it.each([
    "claude-sonnet-4-5",
    "anthropic.claude-3-haiku-20240307-v1:0",
    "arn:aws:bedrock:eu-west-3:123456789012:application-inference-profile/a b!'()*",
  ])("of a call for %s is that of the independent implementation", async (model) => {
    const request = await signedByProduct(model);
    const authorization = parseAuthorization(request.headers["authorization"]);
    expect(authorization).toMatchObject({
      accessKeyId: ACCESS_KEY,
      date: "20261121",
      region: "eu-west-3",
      service: "bedrock",
      signedHeaders: ["host", "x-amz-date"],
    });
    if (authorization === null) throw new Error("no signature");
    expect(authorization.signature).toBe(signatureOf(request, authorization, bedrockSecret(ACCESS_KEY)));
    expect(request.headers["host"]).toBe("bedrock-runtime.eu-west-3.amazonaws.com");
  });

  it("covers the session token, which travels beside it", async () => {
    const request = await signedByProduct("claude-sonnet-4-5", { sessionToken: "token/of+the==session" });
    const authorization = parseAuthorization(request.headers["authorization"]);
    expect(authorization?.signedHeaders).toEqual(["host", "x-amz-date", "x-amz-security-token"]);
    if (authorization === null) throw new Error("no signature");
    expect(authorization.signature).toBe(signatureOf(request, authorization, bedrockSecret(ACCESS_KEY)));
  });
});
