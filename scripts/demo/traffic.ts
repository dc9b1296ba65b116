/** A trickle of calls as clients make them: conversations of several turns, most of them streamed. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import type { BusyKey } from "./samples.ts";

/** Together about one call a second, however fast they are answered. */
const CALL_EVERY_MS = 1_000;
/** Slow answers pile up to here; then calls are left out. */
const IN_FLIGHT_MAX = 16;
const CALL_TIMEOUT_MS = 90_000;
/** When an impatient client leaves; most answers are not over by then. */
const IMPATIENCE_MS = 900;
const TURNS_MAX = 12;

const MODELS = ["claude-sonnet-4-5", "claude-sonnet-4-5", "claude-opus-4-5", "claude-haiku-4-5"] as const;
const PROMPTS = [
  "Why does this test fail only on Mondays?",
  "Rename the variable everywhere.",
  "Explain this stack trace.",
  "Write a migration for the new column.",
  "把这个函数拆成两个。",
] as const;

interface Conversation {
  readonly key: string;
  readonly session: string;
  readonly model: string;
  turns: number;
}

type Manner = "stream" | "whole" | "impatient" | "count";

function oneOf<Value>(values: readonly Value[]): Value {
  const value = values[Math.floor(Math.random() * values.length)];
  if (value === undefined) throw new Error("there is nothing to choose from");
  return value;
}

function drawManner(): Manner {
  const draw = Math.random();
  if (draw < 0.72) return "stream";
  if (draw < 0.87) return "whole";
  return draw < 0.94 ? "impatient" : "count";
}

const begin = (key: string): Conversation => {
  return { key, session: randomUUID(), model: oneOf(MODELS), turns: 0 };
};

function bodyOf(conversation: Conversation, manner: Manner): string {
  const isStream = manner === "stream" || manner === "impatient";
  return JSON.stringify({
    model: conversation.model,
    messages: [{ role: "user", content: oneOf(PROMPTS) }],
    ...(manner === "count" ? {} : { max_tokens: 1_024, stream: isStream }),
  });
}

/** One call to its end. Refusals are part of the show, so nothing but the relay's own end matters. */
async function call(relayUrl: string, conversation: Conversation, signal: AbortSignal): Promise<void> {
  const manner = drawManner();
  const patienceMs = manner === "impatient" ? IMPATIENCE_MS : CALL_TIMEOUT_MS;
  const path = manner === "count" ? "/v1/messages/count_tokens" : "/v1/messages";
  const response = await fetch(relayUrl + path, {
    method: "POST",
    headers: {
      authorization: `Bearer ${conversation.key}`,
      "content-type": "application/json",
      "anthropic-version": "2023-06-01",
      "x-claude-code-session-id": conversation.session,
    },
    body: bodyOf(conversation, manner),
    signal: AbortSignal.any([signal, AbortSignal.timeout(patienceMs)]),
  });
  await response.arrayBuffer();
}

/** Runs until aborted; every call has ended when it resolves. */
export async function runTraffic(
  relayUrl: string,
  keys: readonly BusyKey[],
  signal: AbortSignal,
): Promise<void> {
  const conversations = keys.flatMap(({ key, conversations: count }) =>
    Array.from({ length: count }, () => begin(key)),
  );
  const underWay = new Set<Promise<void>>();
  while (!signal.aborted) {
    const index = Math.floor(Math.random() * conversations.length);
    const conversation = conversations[index];
    if (conversation !== undefined && underWay.size < IN_FLIGHT_MAX) {
      conversation.turns++;
      if (conversation.turns >= TURNS_MAX) conversations[index] = begin(conversation.key);
      const running: Promise<void> = call(relayUrl, conversation, signal)
        .catch(() => undefined)
        .finally(() => underWay.delete(running));
      underWay.add(running);
    }
    await sleep(CALL_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
  await Promise.all(underWay);
}
