/** What an answer of Factory's means: what it means in the dialect of the call, but a refused key is that key's alone. Pure. */
import type { ProtocolId } from "../../domain/protocol-id.ts";
import type { EpochMs } from "../../domain/ids.ts";
import type { AnswerFacts, Verdict } from "../../domain/verdict.ts";
import { judgeAnthropic, judgeAnthropicEvent } from "../anthropic-api/judge.ts";
import { judgeOpenAi, judgeOpenAiEvent } from "../openai-api/judge.ts";
import type { Asked } from "../provider.ts";

const UNAUTHORIZED = 401;
const FORBIDDEN = 403;
/** A refusal of this kind would take one key after the other, although none is at fault. */
const OF_MODEL = /\bmodel\b/i;
/** A page of a proxy before the API, which knows nothing of keys. */
const PAGE = /^\s*</;

export function judgeDroid(answer: AnswerFacts, now: EpochMs, { protocol, credentialPart }: Asked): Verdict {
  const verdict = protocol === "anthropic" ? judgeAnthropic(answer, now) : judgeOpenAi(answer, now);
  if (credentialPart === null) return verdict;
  const message = refusalOfKey(answer, verdict);
  return message === null ? verdict : { kind: "refresh", message };
}

function refusalOfKey({ status, bodyText }: AnswerFacts, verdict: Verdict): string | null {
  if (status !== UNAUTHORIZED && status !== FORBIDDEN) return null;
  // A closed account is the one behind this key; other keys may be somebody else's.
  if (verdict.kind === "disable") return verdict.reason;
  const isRefusal = verdict.kind === "failover" && verdict.reason === "forbidden";
  if (!isRefusal || OF_MODEL.test(verdict.message) || PAGE.test(bodyText)) return null;
  return verdict.message;
}

export const judgeDroidEvent = (
  errorType: string,
  message: string,
  now: EpochMs,
  protocol: ProtocolId,
): Verdict =>
  protocol === "anthropic"
    ? judgeAnthropicEvent(errorType, message)
    : judgeOpenAiEvent(errorType, message, now);
