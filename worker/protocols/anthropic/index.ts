/** The Anthropic Messages dialect. */
import type { Protocol } from "../protocol.ts";
import { isUserTurn, withoutBoundParts } from "./conversation.ts";
import { renderError, renderErrorEvent } from "./errors.ts";
import { renderModels } from "./models.ts";
import { parseAnthropicCall } from "./parse.ts";
import { AnthropicUsageReader, readAnthropicAnswer } from "./usage.ts";

export const anthropic: Protocol = {
  id: "anthropic",
  service: "claude",
  // Base URLs that people have in their settings: the root, and those that claude-relay-service documents.
  prefixes: ["", "/api", "/claude", "/api/claude"],
  routes: [
    { method: "POST", path: "/v1/messages", operation: "generate", crosses: "any_service" },
    { method: "POST", path: "/v1/messages/count_tokens", operation: "count_tokens" },
  ],
  parse: parseAnthropicCall,
  isUserTurn,
  withoutBoundParts,
  createStreamReader: () => new AnthropicUsageReader(),
  readAnswer: readAnthropicAnswer,
  renderError,
  renderErrorEvent,
  isStream: (contentType) => contentType.includes("event-stream"),
  modelLists: [{ path: "/v1/models", render: renderModels }],
  // A comment, not a `ping` event: a ping would tell the client's watchdog that the upstream is alive.
  heartbeat: new TextEncoder().encode(": keep-alive\n\n"),
};
