/** Reads the calls of Google's APIs: the Gemini API, Vertex AI and Code Assist. Pure. */
import type { Endpoint } from "../control-types.ts";
import { isRecord, recordsOf, textOf, type JsonRecord } from "../record.ts";

export type GoogleCall = {
  readonly endpoint: Endpoint;
  readonly method: string;
  /** Of the path; empty where the body names it. */
  readonly model: string;
  /** In the envelope of Code Assist. */
  readonly wrapped: boolean;
  readonly sse: boolean;
};

const MODEL_CALL = /\/models\/([^/:]+):(generateContent|streamGenerateContent|countTokens)$/;
const CODE_ASSIST_CALL = /\/v1internal:([A-Za-z]+)$/;
const MODEL_LIST = /\/v1beta\/models$/;
const GENERATES = ["generateContent", "streamGenerateContent"];

const endpointOf = (method: string): Endpoint => (GENERATES.includes(method) ? "messages" : "count_tokens");

/** null: it is none of Google's. */
export function googleCallOf(httpMethod: string, url: string): GoogleCall | null {
  const { pathname, searchParams } = new URL(url, "http://upstream");
  const sse = searchParams.get("alt") === "sse";
  if (httpMethod === "GET") {
    return MODEL_LIST.test(pathname)
      ? { endpoint: "models", method: "list", model: "", wrapped: false, sse: false }
      : null;
  }
  const [, model = "", method] = MODEL_CALL.exec(pathname) ?? [];
  if (method !== undefined) {
    return { endpoint: endpointOf(method), method, model: decodeURIComponent(model), wrapped: false, sse };
  }
  const [, codeAssist] = CODE_ASSIST_CALL.exec(pathname) ?? [];
  if (codeAssist === undefined) return null;
  return { endpoint: endpointOf(codeAssist), method: codeAssist, model: "", wrapped: true, sse };
}

/** The call as the fake understands all of them: as one of the Messages API. null: Google would refuse it. */
export function asMessages(body: JsonRecord, call: GoogleCall): JsonRecord | null {
  if (call.endpoint === "models") return {};
  const request = call.wrapped && isRecord(body["request"]) ? body["request"] : body;
  if (GENERATES.includes(call.method) && !Array.isArray(request["contents"])) return null;
  return {
    model: call.model === "" ? textOf(body["model"], "gemini-unknown") : call.model,
    stream: call.method === "streamGenerateContent",
    messages: recordsOf(request["contents"]).map((content) => ({
      role: content["role"] === "model" ? "assistant" : "user",
      content: recordsOf(content["parts"]).map(asBlock),
    })),
    tools: recordsOf(request["tools"])
      .flatMap((tool) => recordsOf(tool["functionDeclarations"]))
      .map((tool) => ({
        name: tool["name"],
        input_schema: tool["parametersJsonSchema"] ?? tool["parameters"],
      })),
    ...schemaOf(request["generationConfig"]),
  };
}

function schemaOf(config: unknown): JsonRecord {
  const schema = isRecord(config) ? (config["responseJsonSchema"] ?? config["responseSchema"]) : undefined;
  return isRecord(schema) ? { output_config: { format: { type: "json_schema", schema } } } : {};
}

function asBlock(part: JsonRecord): JsonRecord {
  const { functionResponse } = part;
  if (!isRecord(functionResponse)) return { type: "text", text: part["text"] };
  return {
    type: "tool_result",
    content: [{ type: "text", text: JSON.stringify(functionResponse["response"]) }],
  };
}
