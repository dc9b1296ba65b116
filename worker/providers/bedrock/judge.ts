/** What an answer of Bedrock means: its errors put into Anthropic's terms, where the one table judges them. Pure. */
import type { EpochMs } from "../../domain/ids.ts";
import type { AnswerFacts, Verdict } from "../../domain/verdict.ts";
import { judgeAnthropic } from "../anthropic-api/judge.ts";
import { meaningOf, meaningOfStatus, readErrorBody, type Meaning } from "./exceptions.ts";

/**
 * Refusals of a model that another account, or another region, may well have: an id that this region does not know
 * (ValidationException), and a model that was never asked for in the console (AccessDeniedException).
 */
const OTHER_MODEL = /model identifier is invalid|on-demand throughput|access to the model/i;

function translate({ status, headers, bodyText }: Pick<AnswerFacts, "status" | "headers" | "bodyText">): {
  readonly meaning: Meaning;
  readonly message: string;
} {
  const { name, message } = readErrorBody(bodyText);
  const meaning =
    meaningOf(headers.get("x-amzn-errortype") ?? name ?? "") ??
    meaningOf(name ?? "") ??
    meaningOfStatus(status);
  if ((meaning.status === 400 || meaning.status === 403) && OTHER_MODEL.test(message)) {
    return { meaning: { status: 404, type: "not_found_error" }, message: `The model: ${message}` };
  }
  return { meaning, message };
}

const anthropicError = (type: string, message: string): string =>
  JSON.stringify({ type: "error", error: { type, message } });

export function judgeBedrock(answer: AnswerFacts, now: EpochMs): Verdict {
  if (answer.status >= 200 && answer.status < 300) return { kind: "deliver" };
  const { meaning, message } = translate(answer);
  return judgeAnthropic(
    { ...answer, status: meaning.status, bodyText: anthropicError(meaning.type, message) },
    now,
  );
}

/** A refusal of the client's request, in Bedrock's own words and in the protocol's form. */
export function decodeRefusal(answer: Pick<AnswerFacts, "status" | "headers" | "bodyText">): string {
  const { meaning, message } = translate(answer);
  return anthropicError(meaning.type, message);
}
