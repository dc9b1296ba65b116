/** OpenAI's Responses dialect, which Codex speaks. */
import { renderError } from "../openai/errors.ts";
import { renderModels } from "../openai/models.ts";
import { readJsonAnswer } from "../openai/usage.ts";
import type { Protocol, ProtocolRoute } from "../protocol.ts";
import { isUserTurn, withoutBoundParts } from "./conversation.ts";
import { renderErrorEvent } from "./errors.ts";
import { parseResponsesCall } from "./parse.ts";
import { ResponsesUsageReader } from "./usage.ts";

const DROID = { prefixes: ["/droid/openai"], service: "droid" } as const;

/** Base URLs end before `/responses`, and people end theirs with or without `/v1`. */
const PATHS = ["/v1/responses", "/responses"];
/** What it answers is for OpenAI's models alone. */
const COMPACT_PATHS = ["/v1/responses/compact", "/responses/compact"];

const route = (path: string): ProtocolRoute => ({ method: "POST", path, operation: "generate" });

export const openaiResponses: Protocol = {
  id: "openai-responses",
  service: "openai",
  prefixes: ["", "/openai", "/api"],
  routes: [
    ...PATHS.map((path): ProtocolRoute => ({ ...route(path), crosses: "any_service" })),
    ...COMPACT_PATHS.map(route),
    { ...route("/responses"), prefixes: ["/azure"], provider: "azure-openai" },
    ...PATHS.map((path) => ({ ...route(path), ...DROID })),
  ],
  parse: parseResponsesCall,
  isUserTurn,
  withoutBoundParts,
  createStreamReader: () => new ResponsesUsageReader(),
  readAnswer: readJsonAnswer,
  renderError,
  renderErrorEvent,
  isStream: (contentType) => contentType.includes("event-stream"),
  modelLists: [
    ...["/v1/models", "/models"].map((path) => ({ path, prefixes: ["/openai"], render: renderModels })),
    { path: "/v1/models", render: renderModels, ...DROID },
  ],
  heartbeat: new TextEncoder().encode(": keep-alive\n\n"),
};
