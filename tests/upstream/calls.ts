/** Makes the calls the tests of this folder send to a running fake. */
import type { Behaviour } from "./behaviour.ts";
import type { Upstream } from "./server.ts";

export const BODY = {
  model: "claude-opus-5-5",
  max_tokens: 64,
  messages: [{ role: "user", content: "say 你好 🌍" }],
};

export function callsTo(upstream: Upstream) {
  async function post(credential: string, change: Record<string, unknown> = {}, path = "/v1/messages") {
    return await fetch(upstream.url + path, {
      method: "POST",
      headers: { "x-api-key": credential, "content-type": "application/json" },
      body: JSON.stringify({ ...BODY, ...change }),
    });
  }

  async function postTold(credential: string, behaviour: Behaviour, change: Record<string, unknown> = {}) {
    await upstream.control.set(credential, behaviour);
    return await post(credential, change);
  }

  return { post, postTold };
}

export function eventNames(text: string): string[] {
  return [...text.matchAll(/^event: ?(\w+)/gm)].map(([, name]) => name ?? "");
}
