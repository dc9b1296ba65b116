/** Calls of a Chat Completions client. */
import { clientCall } from "../../../__fixtures__/crossing.ts";
import type { ClientCall } from "../../../protocol.ts";

export const callWith = (fields: Readonly<Record<string, unknown>>): ClientCall =>
  clientCall("/v1/chat/completions", {
    model: "gpt-6-luna",
    messages: [{ role: "user", content: "Hello." }],
    ...fields,
  });
