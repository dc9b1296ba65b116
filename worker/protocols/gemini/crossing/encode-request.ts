/** A request of the neutral form as a Gemini account is asked. Pure. */
import type { JsonObject, NeutralRequest, OutputFormat, Tool, ToolChoice } from "../../neutral.ts";
import type { ToolNames } from "../../tool-names.ts";
import { notCarried, type EncodedRequest } from "../../translate.ts";
import { createDecoder } from "./decode-answer.ts";
import { encodeContents } from "./encode-contents.ts";
import { functionNames } from "./function-names.ts";
import { writeSchema } from "./schema-out.ts";
import { requiresSignatures, thinkingConfig } from "./thinking.ts";

/** ai.google.dev/api/generate-content#GenerationConfig */
const STOP_SEQUENCES_MAX = 5;
const INT32_MAX = 2 ** 31 - 1;
/** More is refused, and no single answer is longer (ai.google.dev/gemini-api/docs/models). */
const OUTPUT_TOKENS_MAX = 65_536;

export function encodeRequest(request: NeutralRequest): EncodedRequest {
  const names = functionNames(request);
  const { systemInstruction, contents } = encodeContents(
    request.turns,
    names,
    requiresSignatures(request.model),
  );
  const method = request.stream ? "streamGenerateContent" : "generateContent";
  return {
    path: `/v1beta/models/${encodeURIComponent(request.model)}:${method}`,
    query: request.stream ? "alt=sse" : "",
    body: {
      contents,
      ...(systemInstruction === null ? {} : { systemInstruction }),
      ...offered(request, names),
      ...filled("generationConfig", generationConfig(request)),
    },
    omitted: omittedOf(request),
    createDecoder: (facts) =>
      createDecoder({ facts, names, callsMax: request.parallelToolCalls === false ? 1 : Infinity }),
  };
}

/** Only where there is something in it. */
const filled = (name: string, value: JsonObject): JsonObject =>
  Object.keys(value).length === 0 ? {} : { [name]: value };

/** Without what is null: the client does not say. */
const said = (fields: JsonObject): JsonObject =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== null));

function offered({ tools, toolChoice }: NeutralRequest, names: ToolNames): JsonObject {
  if (tools.length === 0) return {};
  return {
    tools: [{ functionDeclarations: tools.map((tool) => declarationOf(tool, names)) }],
    ...(toolChoice === null
      ? {}
      : { toolConfig: { functionCallingConfig: callingConfig(toolChoice, names) } }),
  };
}

function declarationOf({ name, description, parameters }: Tool, names: ToolNames): JsonObject {
  const schema = writeSchema(parameters);
  return {
    name: names.toUpstream(name),
    ...(description === null ? {} : { description }),
    ...(hasParameters(schema) ? { parametersJsonSchema: schema } : {}),
  };
}

/** A function without parameters is declared without a schema. */
function hasParameters({
  type: _,
  properties,
  required: __,
  additionalProperties,
  ...rest
}: JsonObject): boolean {
  const isEmpty = typeof properties !== "object" || Object.keys(properties ?? {}).length === 0;
  return !isEmpty || typeof additionalProperties === "object" || Object.keys(rest).length > 0;
}

function callingConfig(choice: ToolChoice, names: ToolNames): JsonObject {
  switch (choice.kind) {
    case "auto":
      return { mode: "AUTO" };
    case "none":
      return { mode: "NONE" };
    case "required":
      return { mode: "ANY" };
    case "named":
      return { mode: "ANY", allowedFunctionNames: [names.toUpstream(choice.name)] };
  }
}

function generationConfig(request: NeutralRequest): JsonObject {
  if (request.stop.length > STOP_SEQUENCES_MAX) {
    throw notCarried(`stop: more than ${String(STOP_SEQUENCES_MAX)}`);
  }
  const thinking = request.reasoning === null ? null : thinkingConfig(request.model, request.reasoning);
  return {
    ...said({
      maxOutputTokens: request.outputTokensMax && Math.min(request.outputTokensMax, OUTPUT_TOKENS_MAX),
      temperature: request.temperature,
      topP: request.topP,
      topK: request.topK,
      seed: isSeed(request.seed) ? request.seed : null,
      presencePenalty: request.presencePenalty,
      frequencyPenalty: request.frequencyPenalty,
      stopSequences: request.stop.length === 0 ? null : request.stop,
    }),
    ...filled("thinkingConfig", { ...thinking }),
    ...(request.format === null ? {} : responseFormat(request.format)),
  };
}

const isSeed = (seed: number | null): boolean => seed !== null && Math.abs(seed) <= INT32_MAX;

const responseFormat = (format: OutputFormat): JsonObject => ({
  responseMimeType: "application/json",
  ...(format.kind === "schema" ? { responseJsonSchema: writeSchema(format.schema) } : {}),
});

/** Prompts are cached without being asked for, so cache marks lose nothing and are not told. */
function omittedOf(request: NeutralRequest): readonly string[] {
  const cannotThink = request.reasoning !== null && thinkingConfig(request.model, request.reasoning) === null;
  const left = {
    user: request.user !== null,
    "cache key": request.cacheKey !== null,
    seed: request.seed !== null && !isSeed(request.seed),
    reasoning: cannotThink,
    "strict tools": request.tools.some(({ strict }) => strict === true),
  };
  return Object.entries(left).flatMap(([name, isLeft]) => (isLeft ? [name] : []));
}
