/** OpenAI's Chat Completions dialect, with the embeddings and pictures that its clients ask for beside it. */
import { renderError } from "../openai/errors.ts";
import { renderModels } from "../openai/models.ts";
import { readJsonAnswer } from "../openai/usage.ts";
import type { Protocol, ProtocolRoute } from "../protocol.ts";
import { isUserTurn } from "./conversation.ts";
import { renderErrorEvent } from "./errors.ts";
import { parseChatCall } from "./parse.ts";
import { prepare } from "./usage-chunk.ts";
import { ChatUsageReader } from "./usage.ts";

const DROID = { prefixes: ["/droid/comm"], service: "droid" } as const;
const AZURE = { prefixes: ["/azure"], provider: "azure-openai" } as const;

const route = (path: string): ProtocolRoute => ({ method: "POST", path, operation: "generate" });

export const openaiChat: Protocol = {
  id: "openai-chat",
  service: "openai",
  prefixes: ["", "/openai", "/api"],
  routes: [
    route("/v1/chat/completions"),
    route("/v1/embeddings"),
    route("/v1/images/generations"),
    // For base URLs that already end in `/openai`, or in nothing.
    ...["/chat/completions", "/embeddings", "/images/generations"].map((path) => ({
      ...route(path),
      prefixes: ["", "/openai"],
    })),
    ...["/chat/completions", "/embeddings"].map((path) => ({ ...route(path), ...AZURE })),
    { ...route("/v1/chat/completions"), ...DROID },
  ],
  parse: parseChatCall,
  prepare,
  isUserTurn,
  withoutBoundParts: () => null,
  createStreamReader: () => new ChatUsageReader(),
  readAnswer: readJsonAnswer,
  renderError,
  renderErrorEvent,
  isStream: (contentType) => contentType.includes("event-stream"),
  modelLists: [{ path: "/v1/models", render: renderModels, ...DROID }],
  heartbeat: new TextEncoder().encode(": keep-alive\n\n"),
};
