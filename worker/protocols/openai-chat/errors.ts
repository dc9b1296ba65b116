/** An error inside a Chat Completions stream that already began. Pure. */
import type { ErrorFacts } from "../../domain/errors.ts";
import { errorOf } from "../openai/errors.ts";

/** Without `[DONE]` behind it: a client that knows no error frames must not take the answer for whole. */
export const renderErrorEvent = (error: ErrorFacts, requestId: string, atBoundary: boolean): Uint8Array =>
  new TextEncoder().encode(
    `${atBoundary ? "" : "\n\n"}data: ${JSON.stringify({ error: errorOf(error), request_id: requestId })}\n\n`,
  );
