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

const BARE = ["", "/openai"];

const route = (path: string): ProtocolRoute => ({ method: "POST", path, operation: "generate" });

export const openaiChat: Protocol = {
  id: "openai-chat",
  service: "openai",
  prefixes: ["", "/openai", "/api"],
  routes: [
    { ...route("/v1/chat/completions"), crosses: "any_service" },
    route("/v1/embeddings"),
    route("/v1/images/generations"),
    // For base URLs that already end in `/openai`, or in nothing.
    { ...route("/chat/completions"), prefixes: BARE, crosses: "any_service" },
    ...["/embeddings", "/images/generations"].map((path) => ({ ...route(path), prefixes: BARE })),
    // Whatever the model is called, the path says whose it is.
    {
      ...route("/v1/chat/completions"),
      prefixes: ["/openai/claude"],
      service: "claude",
      crosses: "own_service",
    },
    {
      ...route("/v1/chat/completions"),
      prefixes: ["/openai/gemini"],
      service: "gemini",
      crosses: "own_service",
    },
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
