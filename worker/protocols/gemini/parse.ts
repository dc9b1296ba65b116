/** Reads of a Gemini call only what the relay needs; everything else passes through unseen. Pure. */
import { RelayError } from "../../domain/errors.ts";
import { elementsAt, parseAt, topLevelFields, type FieldRange } from "../json-fields.ts";
import type { AffinitySource, ClientCall, ParsedCall } from "../protocol.ts";
import { codeAssistMethod, readModelPath } from "./paths.ts";
import { fieldOf, requestFields, type Fields } from "./request-fields.ts";
import { isObject } from "./usage.ts";

const MODEL_LENGTH_MAX = 256;
const SESSION_ID = /^[A-Za-z0-9_.:-]{8,128}$/;
const MODEL_PREFIX = "models/";
const OPEN_BRACKET = 0x5b;

const refused = (message: string) => new RelayError("invalid_request", message);

export function parseGeminiCall(call: ClientCall): ParsedCall {
  const target = readModelPath(call.path);
  if (target !== null) {
    const request = requestFields(call.body);
    return {
      model: modelNamed(decoded(target.model)),
      modelRange: null,
      ...readRequest(call, request, target.method),
    };
  }
  return parseCodeAssistCall(call, codeAssistMethod(call.path) ?? "");
}

/** `{model, project, request: {contents, …}}`; calls about the account have none of it. */
function parseCodeAssistCall(call: ClientCall, method: string): ParsedCall {
  const fields = topLevelFields(call.body);
  const request = requestFields(call.body);
  const isGenerate = method === "generateContent" || method === "streamGenerateContent";
  if (isGenerate && !fields.has("request")) throw refused("request: is missing");
  // A count names its model inside the request as `models/…`, which an account's map does not know.
  const modelRange = isGenerate ? fields.get("model") : request.get("model");
  if (isGenerate && modelRange === undefined) throw refused("model: is missing");
  const model = modelRange === undefined ? "" : modelNamed(parseAt(call.body, modelRange));
  return {
    model,
    modelRange: isGenerate ? (modelRange ?? null) : null,
    ...readRequest(call, request, method),
  };
}

function readRequest(call: ClientCall, request: Fields, method: string) {
  const contents = fieldOf(request, "contents");
  const isGenerate = method === "generateContent" || method === "streamGenerateContent";
  if (isGenerate && contents === undefined) throw refused("contents: is missing");
  return {
    stream: method === "streamGenerateContent",
    outputTokensMax: outputTokensMaxOf(call.body, fieldOf(request, "generationConfig")),
    affinitySource: affinityOf(call, request, contents),
  };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw refused("model: is not a model name");
  }
}

function modelNamed(value: unknown): string {
  if (typeof value !== "string") throw refused("model: must be a string");
  const model = value.startsWith(MODEL_PREFIX) ? value.slice(MODEL_PREFIX.length) : value;
  // A name of dots alone would climb out of the address that it becomes part of.
  if (/^\.*$/.test(model) || model.length > MODEL_LENGTH_MAX || /[\p{Cc}\p{Cs}]/u.test(model)) {
    throw refused("model: is not a model name");
  }
  return model;
}

/** What is no number is the upstream's to refuse. */
function outputTokensMaxOf(body: Uint8Array, range: FieldRange | undefined): number | null {
  const config: unknown = range === undefined ? null : parseAt(body, range);
  if (!isObject(config)) return null;
  const max = config.maxOutputTokens ?? config.max_output_tokens;
  return typeof max === "number" && Number.isFinite(max) && max > 0 ? Math.ceil(max) : null;
}

/** The client's own session id where it sends one, else what stays the same from turn to turn. */
function affinityOf(
  { body, headers }: ClientCall,
  request: Fields,
  contents: FieldRange | undefined,
): AffinitySource {
  const header = headers.get("x-session-id");
  if (header !== null && SESSION_ID.test(header)) return { kind: "session", id: header };
  const session = fieldOf(request, "sessionId");
  const id = session === undefined ? null : parseAt(body, session);
  if (typeof id === "string" && SESSION_ID.test(id)) return { kind: "session", id };
  const instructions = [fieldOf(request, "systemInstruction"), fieldOf(request, "tools")].filter(
    (range) => range !== undefined,
  );
  // A bare message gains nothing from any account in particular.
  if (instructions.length === 0) return { kind: "none" };
  const isList = contents !== undefined && body[contents.start] === OPEN_BRACKET;
  const first = isList ? elementsAt(body, contents).slice(0, 1) : [];
  return { kind: "prefix", ranges: [...instructions, ...first] };
}
