/** A Chat Completions call in the neutral form. Pure. */
import type { NeutralRequest, OutputFormat, Reasoning } from "../../neutral.ts";
import type { ClientCall } from "../../protocol.ts";
import { notCarried } from "../../translate.ts";
import { decodeMessages } from "./decode-messages.ts";
import { decodeTools } from "./decode-tools.ts";
import { invalid, parseRequest, type ChatRequest } from "./request-schema.ts";

/** Leave the meaning as it is: how the call is billed, kept, sped up or adorned. */
const HARMLESS = [
  "store",
  "metadata",
  "service_tier",
  "prediction",
  "verbosity",
  "prompt_cache_retention",
  "web_search_options",
] as const;

/** @throws RelayError `invalid_request` that names what is malformed, or what no other dialect can carry */
export function decodeRequest({ body }: Pick<ClientCall, "body">): NeutralRequest {
  const request = parseRequest(body);
  refuseUncarried(request);
  const { omitted, ...tools } = decodeTools(request);
  return {
    model: request.model,
    stream: request.stream ?? false,
    turns: decodeMessages(request.messages),
    ...tools,
    outputTokensMax: request.max_completion_tokens ?? request.max_tokens ?? null,
    temperature: request.temperature ?? null,
    topP: request.top_p ?? null,
    topK: request.top_k ?? null,
    seed: request.seed ?? null,
    presencePenalty: request.presence_penalty ?? null,
    frequencyPenalty: request.frequency_penalty ?? null,
    stop: [request.stop ?? []].flat().filter((sequence) => sequence !== ""),
    reasoning: reasoningOf(request),
    format: formatOf(request.response_format),
    user: request.user ?? request.safety_identifier ?? null,
    cacheKey: request.prompt_cache_key ?? null,
    omitted: [...omitted, ...omittedFields(request)],
  };
}

function refuseUncarried({ n, logprobs, top_logprobs, logit_bias, modalities }: ChatRequest): void {
  if (typeof n === "number" && n > 1) throw notCarried("n");
  if (logprobs === true || (top_logprobs ?? 0) > 0) throw notCarried("logprobs");
  if (Object.keys(logit_bias ?? {}).length > 0) throw notCarried("logit_bias");
  // A model that paints does so unasked.
  if ((modalities ?? []).some((kind) => kind !== "text" && kind !== "image")) throw notCarried("modalities");
}

function omittedFields(request: ChatRequest): readonly string[] {
  const isAsked = (value: unknown) => value !== undefined && value !== null && value !== false;
  const hasDetail = request.messages.some(
    ({ content }) =>
      Array.isArray(content) &&
      content.some(({ image_url: image }) => isFine(typeof image === "string" ? null : image?.detail)),
  );
  return [
    ...HARMLESS.filter((name) => isAsked(request[name])),
    ...((request.modalities ?? []).includes("image") ? ["modalities"] : []),
    ...(hasDetail ? ["image_url.detail"] : []),
    ...(request.messages.some(({ role, name }) => role !== "function" && typeof name === "string")
      ? ["messages.name"]
      : []),
  ];
}

const isFine = (detail: string | null | undefined): boolean =>
  typeof detail === "string" && detail !== "auto";

/** `reasoning` is OpenRouter's, and the only way to name a budget. */
function reasoningOf({ reasoning_effort, reasoning }: ChatRequest): Reasoning | null {
  const effort = reasoning_effort ?? reasoning?.effort ?? (reasoning?.enabled === false ? "none" : null);
  const budgetTokens = reasoning?.max_tokens ?? null;
  if (effort === null && !reasoning) return null;
  return { effort, budgetTokens, visible: reasoning?.exclude !== true };
}

function formatOf(format: ChatRequest["response_format"]): OutputFormat | null {
  switch (format?.type) {
    case "json_object":
      return { kind: "json" };
    case "json_schema": {
      if (!format.json_schema) throw invalid("Missing required parameter: 'response_format.json_schema'.");
      const { name, schema, strict } = format.json_schema;
      return { kind: "schema", name, schema: schema ?? { type: "object" }, strict: strict ?? null };
    }
    case "text":
    case undefined:
      return null;
  }
}
