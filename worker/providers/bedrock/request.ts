/** A call of Bedrock's runtime, signed. Pure: the time is passed in. */
import { toBase64 } from "../../domain/encoding.ts";
import { AwsV4Signer } from "aws4fetch";
import type { EpochMs } from "../../domain/ids.ts";
import { RelayError } from "../../domain/errors.ts";
import { forwardedHeaders } from "../anthropic-api/request.ts";
import type { UpstreamCall, UpstreamRequest } from "../provider.ts";
import { bedrockBody } from "./body.ts";
import { signInOf, type BedrockCredential, type SignIn } from "./credential.ts";
import { bedrockModel, foundationModel } from "./models.ts";

/** Of the client's headers only these: the rest has no meaning here, or is said in the body. */
const FORWARDED = ["accept-language", "user-agent"] as const;

export const baseOf = ({ region }: BedrockCredential, baseUrl: string | null): string =>
  (baseUrl ?? `https://bedrock-runtime.${region}.amazonaws.com`).replace(/\/+$/, "");

function pathOf(call: UpstreamCall, region: string): string {
  const model = bedrockModel(call.model, region);
  if (call.operation === "count_tokens") {
    return `/model/${encodeURIComponent(foundationModel(model))}/count-tokens`;
  }
  const action = call.stream ? "invoke-with-response-stream" : "invoke";
  return `/model/${encodeURIComponent(model)}/${action}`;
}

function headersFor(call: UpstreamCall): Headers {
  const client = forwardedHeaders(call.headers);
  const headers = new Headers({
    "content-type": "application/json",
    // Of a stream, too: it means the events inside the frames.
    accept: "application/json",
    "accept-encoding": "identity",
  });
  for (const name of FORWARDED) {
    const value = client.get(name);
    if (value !== null) headers.set(name, value);
  }
  return headers;
}

function bodyFor(call: UpstreamCall): Uint8Array<ArrayBuffer> {
  const betas = call.headers.get("anthropic-beta");
  if (call.operation === "generate") return bedrockBody(call.body, { betas, addMaxTokens: false });
  const body = bedrockBody(call.body, { betas, addMaxTokens: true });
  const text = JSON.stringify({ input: { invokeModel: { body: toBase64(body) } } });
  return new Uint8Array(new TextEncoder().encode(text));
}

export async function createBedrockRequest(
  call: UpstreamCall,
  credential: BedrockCredential,
  baseUrl: string | null,
  now: EpochMs,
): Promise<UpstreamRequest> {
  const signIn = signInOf(credential);
  if (signIn === null) throw new RelayError("internal", "The account's credential is incomplete.");
  const url = `${baseOf(credential, baseUrl)}${pathOf(call, credential.region)}`;
  const request = { url, headers: headersFor(call), body: bodyFor(call) };
  switch (signIn.kind) {
    case "bearer":
      request.headers.set("authorization", `Bearer ${signIn.token}`);
      return request;
    case "accessKey":
      return sign(request, { signIn, region: credential.region, now });
  }
}

/** What is signed is a buffer of this call's own. */
interface Unsigned extends UpstreamRequest {
  readonly body: Uint8Array<ArrayBuffer>;
}

interface Signing {
  readonly signIn: Extract<SignIn, { kind: "accessKey" }>;
  readonly region: string;
  readonly now: EpochMs;
}

/**
 * AWS Signature Version 4. Only the host and the headers that the signature brings along are signed: the network
 * between may change others, such as `accept-encoding`, and would break it.
 */
async function sign(request: Unsigned, { signIn, region, now }: Signing): Promise<UpstreamRequest> {
  const { accessKeyId, secretAccessKey, sessionToken } = signIn;
  const signer = new AwsV4Signer({
    method: "POST",
    url: request.url,
    body: request.body,
    service: "bedrock",
    region,
    accessKeyId,
    secretAccessKey,
    ...(sessionToken === null ? {} : { sessionToken }),
    datetime: new Date(now).toISOString().replace(/[:-]|\.\d{3}/g, ""),
  });
  const signed = await signer.sign();
  const headers = new Headers(request.headers);
  for (const [name, value] of signed.headers) headers.set(name, value);
  return { ...request, headers };
}
