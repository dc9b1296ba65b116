/** A Gemini client's call in the neutral form. Pure. */
import { RelayError } from "../../../domain/errors.ts";
import { BARE_REQUEST, type NeutralRequest, type OutputFormat, type Turn } from "../../neutral.ts";
import type { ClientCall } from "../../protocol.ts";
import { notCarried } from "../../translate.ts";
import { decodeContents } from "./decode-contents.ts";
import { decodeTools } from "./decode-tools.ts";
import { parseGeminiCall } from "../parse.ts";
import { readModelPath } from "../paths.ts";
import { parseRequest, type GenerateRequest, type GenerationConfig } from "./request-schema.ts";
import { readSchema } from "./schema-in.ts";
import { readThinking } from "./thinking.ts";

const GENERATE = new Set(["generateContent", "streamGenerateContent"]);
const JSON_TYPE = "application/json";

/** @throws RelayError `invalid_request` that names what is malformed, or what only Gemini can do */
export function decodeRequest(call: ClientCall): NeutralRequest {
  if (!GENERATE.has(readModelPath(call.path)?.method ?? "")) throw notCarried(call.path);
  const { model, stream } = parseGeminiCall(call);
  const request = parseRequest(call.body);
  if (request.cachedContent !== undefined) throw notCarried("cachedContent");
  const turns = [...systemTurn(request), ...shallow(() => decodeContents(request.contents))];
  if (turns.length === 0) throw new RelayError("invalid_request", "contents: is empty");
  const config = request.generationConfig ?? {};
  const { omitted, ...tools } = decodeTools(request.tools ?? [], request.toolConfig?.functionCallingConfig);
  return {
    ...BARE_REQUEST,
    model,
    stream,
    turns,
    ...tools,
    ...decodeConfig(config),
    omitted: [...omitted, ...omittedOf(request), ...omittedOfConfig(config)],
  };
}

/** Arguments are written as text, for which there is a depth that no function needs. */
function shallow<Made>(make: () => Made): Made {
  try {
    return make();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new RelayError("invalid_request", "contents: is nested too deeply", { cause });
  }
}

function systemTurn({ systemInstruction }: GenerateRequest): readonly Turn[] {
  const parts = (systemInstruction?.parts ?? []).flatMap(({ text = "" }) =>
    text === "" ? [] : [{ kind: "text", text, cache: null } as const],
  );
  return parts.length === 0 ? [] : [{ role: "system", parts }];
}

function decodeConfig(config: GenerationConfig): Partial<NeutralRequest> {
  refuseUncarried(config);
  return {
    outputTokensMax: config.maxOutputTokens ?? null,
    temperature: config.temperature ?? null,
    topP: config.topP ?? null,
    topK: config.topK ?? null,
    seed: config.seed ?? null,
    presencePenalty: config.presencePenalty ?? null,
    frequencyPenalty: config.frequencyPenalty ?? null,
    stop: config.stopSequences ?? [],
    reasoning: config.thinkingConfig === undefined ? null : readThinking(config.thinkingConfig),
    format: formatOf(config),
  };
}

/** Other answers than one text: nobody else gives them, or can be asked for them here. */
function refuseUncarried(config: GenerationConfig): void {
  const isText = (modality: string) => modality.toUpperCase() === "TEXT";
  const asked = {
    candidateCount: (config.candidateCount ?? 1) > 1,
    responseModalities: !(config.responseModalities ?? []).every(isText),
    responseLogprobs: config.responseLogprobs === true,
    speechConfig: config.speechConfig !== undefined,
  };
  for (const [name, isAsked] of Object.entries(asked)) {
    if (isAsked) throw notCarried(`generationConfig.${name}`);
  }
}

function formatOf(config: GenerationConfig): OutputFormat | null {
  const type = config.responseMimeType ?? null;
  const schema = config.responseJsonSchema ?? (config.responseSchema && readSchema(config.responseSchema));
  if (type !== null && type !== JSON_TYPE && type !== "text/plain" && type !== "") {
    throw notCarried("generationConfig.responseMimeType");
  }
  if (schema !== undefined) return { kind: "schema", name: "answer", schema, strict: null };
  return type === JSON_TYPE ? { kind: "json" } : null;
}

const omittedOf = (request: GenerateRequest): readonly string[] =>
  (["safetySettings", "labels"] as const).filter((name) => request[name] !== undefined);

const omittedOfConfig = (config: GenerationConfig): readonly string[] =>
  (["imageConfig", "mediaResolution"] as const).filter((name) => config[name] !== undefined);
