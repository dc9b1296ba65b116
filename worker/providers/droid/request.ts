/** A call in one of three dialects as Factory's API takes it. */
import { invariant } from "../../domain/errors.ts";
import { ABSENT, withFields } from "../../protocols/json-rewrite.ts";
import { forwardedHeaders as anthropicHeaders } from "../anthropic-api/request.ts";
import { forwardedHeaders as openAiHeaders, operationPath } from "../openai-api/request.ts";
import type { UpstreamCall, UpstreamRequest } from "../provider.ts";
import { isKeys, keyFor, type ChosenKey, type DroidCredential } from "./credential.ts";

const DEFAULT_ROOT = "/api/llm";
export const DEFAULT_BASE_URL = `https://api.factory.ai${DEFAULT_ROOT}`;

/** An address that names nothing behind its host means the path that Factory has there. */
export function rootOf(baseUrl: string | null): string {
  const base = (baseUrl ?? DEFAULT_BASE_URL).replace(/\/+$/, "");
  return /^[a-z]+:\/\/[^/]+$/i.test(base) ? `${base}${DEFAULT_ROOT}` : base;
}

function urlOf(call: UpstreamCall, baseUrl: string | null): string {
  const path = call.protocol === "anthropic" ? `/a${call.path}` : `/o/v1${operationPath(call)}`;
  return `${rootOf(baseUrl)}${path}${call.query === "" ? "" : `?${call.query}`}`;
}

/** Who serves a model there, by a word in its name; the first that fits. */
const CHAT_BACKENDS = [
  ["gemini", "google"],
  ["claude", "anthropic"],
  ["gpt", "azure_openai"],
  ["glm", "fireworks"],
] as const;
const OTHER_CHAT_BACKEND = "baseten";

/** Factory does not tell by the model who is to serve it: the call must say so. */
export function backendOf({ protocol, model }: Pick<UpstreamCall, "protocol" | "model">): string {
  const name = model.toLowerCase();
  if (protocol === "anthropic") return "anthropic";
  if (protocol === "openai-responses") return name.includes("-max") ? "openai" : "azure_openai";
  return CHAT_BACKENDS.find(([word]) => name.includes(word))?.[1] ?? OTHER_CHAT_BACKEND;
}

const SESSION_ID = /^[\w.:-]{1,200}$/;

/** The client's own, else one that is the same for all calls of a conversation, and says nothing of it. */
async function sessionIdOf({ headers, affinity, body }: UpstreamCall): Promise<string> {
  const own = headers.get("x-session-id");
  if (own !== null && SESSION_ID.test(own)) return own;
  // A call of no conversation is one of its own.
  const source = affinity === null ? body : new TextEncoder().encode(`session:${affinity}`);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", source));
  const hex = [...digest.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** @param subject what stays with one key */
export function authorize(headers: Headers, credential: DroidCredential, subject: string): ChosenKey | null {
  if (!isKeys(credential)) {
    headers.set("authorization", `Bearer ${credential.accessToken}`);
    return null;
  }
  const key = keyFor(credential, subject);
  invariant(key !== null, "a lease was granted on refused keys");
  headers.set("authorization", `Bearer ${key.apiKey}`);
  return key;
}

/** `metadata` names the client's user at Anthropic, which is nothing that Factory could use or should know. */
const bodyOf = ({ protocol, body }: UpstreamCall) =>
  protocol === "anthropic" ? withFields(body, { metadata: ABSENT }) : body;

export async function createRequest(
  call: UpstreamCall,
  credential: DroidCredential,
  baseUrl: string | null,
  now: number,
): Promise<UpstreamRequest> {
  const headers =
    call.protocol === "anthropic" ? anthropicHeaders(call.headers) : openAiHeaders(call.headers);
  // Without a conversation to stay with, the moment of the call spreads the work.
  const key = authorize(headers, credential, call.affinity ?? String(now));
  // These two the API works by. `x-factory-client` only says which of Factory's own clients calls, and none does.
  headers.set("x-api-provider", backendOf(call));
  headers.set("x-session-id", await sessionIdOf(call));
  const request = { url: urlOf(call, baseUrl), headers, body: bodyOf(call) };
  return key === null ? request : { ...request, credentialPart: key.part };
}
