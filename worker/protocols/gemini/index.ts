/** Google's dialect: the Gemini API, Vertex AI with an API key, and Code Assist, which wraps the same in an envelope. */
import type { Operation, Protocol, ProtocolRoute } from "../protocol.ts";
import { isUserTurn, withoutBoundParts } from "./conversation.ts";
import { renderError, renderErrorEvent } from "./errors.ts";
import { renderModel, renderModels } from "./models.ts";
import { parseGeminiCall } from "./parse.ts";
import { ACCOUNT_METHODS, METHODS, MODEL_PARENTS, pathWithModel } from "./paths.ts";
import { GeminiStreamReader } from "./stream-reader.ts";
import { readGeminiAnswer } from "./usage.ts";

/** The only accounts that Code Assist knows. */
const CODE_ASSIST_PROVIDER = "gemini-oauth";

const operationOf = (method: (typeof METHODS)[number]): Operation =>
  method === "countTokens" ? "count_tokens" : "generate";

const modelRoutes = MODEL_PARENTS.flatMap((parent) =>
  METHODS.map((method): ProtocolRoute => ({
    method: "POST",
    path: `${parent}/:call{[^/]+:${method}}`,
    operation: operationOf(method),
    ...(method === "countTokens" ? {} : { crosses: "any_service" as const }),
  })),
);

const codeAssistRoute = (method: string, operation: Operation): ProtocolRoute => ({
  method: "POST",
  path: `/:call{v1internal:${method}}`,
  operation,
  provider: CODE_ASSIST_PROVIDER,
});

export const gemini: Protocol = {
  id: "gemini",
  service: "gemini",
  prefixes: ["/gemini", ""],
  routes: [
    ...modelRoutes,
    ...METHODS.map((method) => codeAssistRoute(method, operationOf(method))),
    // What a client asks about its account costs nothing, as counting tokens does.
    ...ACCOUNT_METHODS.map((method) => codeAssistRoute(method, "count_tokens")),
  ],
  parse: parseGeminiCall,
  pathWithModel,
  isUserTurn,
  withoutBoundParts,
  createStreamReader: (contentType) => new GeminiStreamReader(contentType),
  readAnswer: readGeminiAnswer,
  renderError,
  renderErrorEvent,
  // Without `alt=sse` a stream is a JSON array that grows.
  isStream: (contentType, { stream }) =>
    contentType.includes("event-stream") || (stream && contentType.includes("json")),
  // `/v1/models` at the root is asked for by the clients of other vendors.
  modelLists: [
    {
      path: "/models",
      prefixes: ["/gemini/v1beta", "/gemini/v1", "/v1beta"],
      render: renderModels,
      renderOne: renderModel,
    },
  ],
  // Google's own client takes a comment between two events for an incomplete answer and gives up.
  heartbeat: null,
};
