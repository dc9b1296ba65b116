/** A Messages request in the neutral form. Pure. */
import {
  EFFORTS,
  type Effort,
  type JsonObject,
  type NeutralRequest,
  type OutputFormat,
  type Reasoning,
  type Turn,
} from "../../neutral.ts";
import type { ClientCall } from "../../protocol.ts";
import { RelayError } from "../../../domain/errors.ts";
import { notCarried } from "../../translate.ts";
import { assistantParts, systemParts, userParts, type BlockContext } from "./decode-blocks.ts";
import { toolsOf } from "./decode-tools.ts";
import { isObject, textOf } from "./json.ts";
import { sessionOfHeaders, sessionOfUserId } from "../parse.ts";
import { readAs, requestSchema, type Message, type MessagesRequest } from "./request-schema.ts";

/** Where and how the answer is made, and what Anthropic does to the conversation besides: none of it is asked. */
const OMITTED_FIELDS = [
  "cache_control",
  "context_management",
  "diagnostics",
  "fallbacks",
  "inference_geo",
  "service_tier",
  "speed",
] as const;

export function decodeRequest(call: ClientCall): NeutralRequest {
  const request = readAs(requestSchema, parsed(call.body), "");
  refuseElsewhereUnknown(request);
  const omitted = new Set<string>();
  const omit = (what: string) => void omitted.add(what);
  if (call.headers.has("anthropic-beta")) omit("anthropic-beta");
  for (const field of OMITTED_FIELDS) if ((request[field] ?? null) !== null) omit(field);
  const turns = turnsOf(request, { names: new Map(), omit });
  const tools = toolsOf(request, omit);
  return {
    model: request.model,
    stream: request.stream === true,
    turns,
    ...tools,
    outputTokensMax: request.max_tokens ?? null,
    temperature: request.temperature ?? null,
    topP: request.top_p ?? null,
    topK: request.top_k ?? null,
    seed: null,
    presencePenalty: null,
    frequencyPenalty: null,
    stop: request.stop_sequences ?? [],
    reasoning: reasoningOf(request),
    format: formatOf(request),
    user: personOf(request.metadata?.user_id ?? null),
    cacheKey: sessionOfHeaders(call.headers) ?? sessionOfUserId(request.metadata),
    omitted: [...omitted],
  };
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch (cause) {
    throw new RelayError("invalid_request", "The body is not valid JSON.", { cause });
  }
}

function refuseElsewhereUnknown(request: MessagesRequest): void {
  if ((request.mcp_servers ?? []).length > 0) throw notCarried("mcp_servers");
  if ((request.container ?? null) !== null) throw notCarried("container");
  // Zero asks for the prompt to be cached and for no answer.
  if (request.max_tokens === 0) throw notCarried("max_tokens: 0");
}

function turnsOf({ system, messages }: MessagesRequest, context: BlockContext): Turn[] {
  const instructions = systemParts(system, "system", context);
  const lastUser = messages.findLastIndex(({ role }) => role === "user");
  const turns = messages.flatMap((message, i): Turn[] => {
    if (message.clear_at === "next_user_message" && i < lastUser) return [];
    const parts = partsOf(message, `messages.${String(i)}.content`, context);
    return parts.length === 0 ? [] : [{ role: message.role, parts }];
  });
  return instructions.length === 0 ? turns : [{ role: "system", parts: instructions }, ...turns];
}

function partsOf({ role, content }: Message, at: string, context: BlockContext): Turn["parts"] {
  switch (role) {
    case "system":
      return systemParts(content, at, context);
    case "user":
      return userParts(content, at, context);
    case "assistant":
      return assistantParts(content, at, context);
  }
}

const effortOf = (name: string | null | undefined): Effort | null =>
  EFFORTS.find((effort) => effort === name) ?? null;

function reasoningOf({ thinking, output_config, messages }: MessagesRequest): Reasoning | null {
  const latest = messages.findLast((message) => (message.output_config?.effort ?? null) !== null);
  const effort = effortOf(latest?.output_config?.effort ?? output_config?.effort);
  if (thinking === null || thinking === undefined) {
    return effort === null ? null : { effort, budgetTokens: null, visible: false };
  }
  switch (thinking.type) {
    // The least that a model which always thinks can do.
    case "between_tools":
    case "disabled":
      return { effort: "none", budgetTokens: null, visible: false };
    case "adaptive":
    case "enabled":
      return {
        effort,
        budgetTokens: thinking.type === "enabled" ? (thinking.budget_tokens ?? null) : null,
        visible: thinking.display !== "omitted",
      };
  }
}

function formatOf({ output_config, output_format }: MessagesRequest): OutputFormat | null {
  const format = output_config?.format ?? output_format ?? null;
  if (format === null || format.type !== "json_schema") return null;
  const schema: JsonObject = format.schema ?? {};
  return { kind: "schema", name: formatName(schema), schema, strict: true };
}

/** Other dialects want a name, which this one does not have. */
const formatName = ({ title }: JsonObject): string =>
  textOf(title)
    .replace(/[^A-Za-z0-9_-]+/g, "_")
    .slice(0, 64) || "answer";

const OLD_USER_ID = /^user_([a-fA-F0-9]{64})_account_/;

/** Claude Code puts the ids of device, account and session into one: only the first is of the person. */
function personOf(userId: string | null): string | null {
  if (userId === null || userId === "") return null;
  const old = OLD_USER_ID.exec(userId)?.[1];
  if (old !== undefined) return old;
  if (!userId.startsWith("{")) return userId;
  try {
    const ids: unknown = JSON.parse(userId);
    const device = isObject(ids) ? textOf(ids.device_id) : "";
    return device === "" ? null : device;
  } catch {
    return userId;
  }
}
