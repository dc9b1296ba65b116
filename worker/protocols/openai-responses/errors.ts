/** An error inside a Responses stream that already began. Pure. */
import type { ErrorFacts } from "../../domain/errors.ts";
import { errorOf } from "../openai/errors.ts";

export function renderErrorEvent(error: ErrorFacts, requestId: string, atBoundary: boolean): Uint8Array {
  const { code, message } = errorOf(error);
  const response = {
    id: `resp_${requestId}`,
    object: "response",
    created_at: 0,
    status: "failed",
    error: { code: code ?? "server_error", message },
    incomplete_details: null,
    output: [],
    usage: null,
  };
  // Clients check that there is a sequence number, and not which.
  const event = { type: "response.failed", sequence_number: 0, response };
  return new TextEncoder().encode(
    `${atBoundary ? "" : "\n\n"}event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`,
  );
}
