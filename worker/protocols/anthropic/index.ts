/** The Anthropic Messages dialect. */
import type { Protocol } from "../protocol.ts";
import { isUserTurn, withoutBoundParts } from "./conversation.ts";
import { renderError, renderErrorEvent } from "./errors.ts";
import { renderModels } from "./models.ts";
import { parseAnthropicCall } from "./parse.ts";
import { AnthropicUsageReader, readAnthropicAnswer } from "./usage.ts";

const DROID = { prefixes: ["/droid/claude"], service: "droid" } as const;

export const anthropic: Protocol = {
  id: "anthropic",
  service: "claude",
  // Base URLs that people have in their settings: the root, and those that claude-relay-service documents.
  prefixes: ["", "/api", "/claude", "/api/claude"],
  routes: [
    { method: "POST", path: "/v1/messages", operation: "generate", crosses: "any_service" },
    { method: "POST", path: "/v1/messages/count_tokens", operation: "count_tokens" },
    { method: "POST", path: "/v1/messages", operation: "generate", ...DROID },
    {
      method: "POST",
      path: "/v1/messages/count_tokens",
      operation: "count_tokens",
      ...DROID,
      refusal: "Factory cannot count tokens: estimate them, or ask an account of Anthropic's.",
    },
  ],
  parse: parseAnthropicCall,
  isUserTurn,
  withoutBoundParts,
  createStreamReader: () => new AnthropicUsageReader(),
  readAnswer: readAnthropicAnswer,
  renderError,
  renderErrorEvent,
  isStream: (contentType) => contentType.includes("event-stream"),
  modelLists: [
    { path: "/v1/models", render: renderModels },
    { path: "/v1/models", render: renderModels, ...DROID },
  ],
  // A comment, not a `ping` event: a ping would tell the client's watchdog that the upstream is alive.
  heartbeat: new TextEncoder().encode(": keep-alive\n\n"),
};
