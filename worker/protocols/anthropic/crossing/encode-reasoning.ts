/** How much Claude should think, in the words of each model, and the sampling that goes with it. Pure. */
import type { Effort, NeutralRequest, Reasoning } from "../../neutral.ts";
import type { Message } from "./encode-messages.ts";
import { outputTokensOf, type ModelTraits } from "./model-traits.ts";

type Fields = Readonly<Record<string, unknown>>;
type Omit = (what: string) => void;

/** Anthropic takes no smaller budget. */
const BUDGET_MIN = 1024;
/** Left for the answer itself where thinking shares a limit with it. */
const ANSWER_SHARE = 0.25;
/** Beside a budget, where the client names no limit. */
const ANSWER_TOKENS = 16_000;

const BUDGETS: Readonly<Record<Effort, number>> = {
  none: 0,
  minimal: BUDGET_MIN,
  low: BUDGET_MIN,
  medium: 8192,
  high: 24_576,
  xhigh: 32_000,
  max: 48_000,
};

export interface ThinkingFields {
  /** `max_tokens`, and `thinking` where something is said about it. */
  readonly fields: Fields;
  /** For `output_config`; null: the model's own. */
  readonly effort: string | null;
  readonly isThinking: boolean;
}

export function thinkingFields(
  request: NeutralRequest,
  messages: readonly Message[],
  traits: ModelTraits,
  omit: Omit,
): ThinkingFields {
  const { reasoning, outputTokensMax } = request;
  const maxTokens = outputTokensOf(traits, outputTokensMax);
  const silent = { fields: { max_tokens: maxTokens }, effort: null, isThinking: false };
  const isForced = request.toolChoice?.kind === "required" || request.toolChoice?.kind === "named";
  if (isForced || isOff(reasoning)) {
    if (isForced && reasoning !== null && !isOff(reasoning)) omit("reasoning, as a tool call is demanded");
    return withoutThinking(silent, traits, omit);
  }
  if (reasoning === null) return silent;
  if (traits.thinking === "none") {
    omit("reasoning");
    return silent;
  }
  return traits.thinking === "adaptive"
    ? { ...silent, ...adaptive(reasoning, maxTokens, traits) }
    : (budgeted(request, messages, traits, omit) ?? silent);
}

const isOff = (reasoning: Reasoning | null): boolean =>
  reasoning?.effort === "none" || (reasoning?.effort === null && reasoning.budgetTokens === 0);

function withoutThinking(silent: ThinkingFields, { thinkingOff }: ModelTraits, omit: Omit): ThinkingFields {
  if (thinkingOff === "unset") return silent;
  if (thinkingOff === "never") {
    omit("reasoning: none, as this model always thinks");
    return { ...silent, effort: "low" };
  }
  return { ...silent, fields: { ...silent.fields, thinking: { type: thinkingOff } } };
}

function adaptive(reasoning: Reasoning, maxTokens: number, traits: ModelTraits): ThinkingFields {
  const display = traits.hasDisplay ? { display: reasoning.visible ? "summarized" : "omitted" } : {};
  const effort = reasoning.effort ?? effortOfBudget(reasoning.budgetTokens);
  return {
    fields: { max_tokens: maxTokens, thinking: { type: "adaptive", ...display } },
    effort: effort === null ? null : nearestEffort(effort, traits),
    isThinking: true,
  };
}

function effortOfBudget(budget: number | null): Effort | null {
  if (budget === null) return null;
  if (budget <= BUDGETS.low * 2) return "low";
  return budget <= BUDGETS.medium ? "medium" : "high";
}

function nearestEffort(effort: Effort, { efforts }: ModelTraits): string {
  if (efforts.includes(effort)) return effort;
  return effort === "xhigh" || effort === "max" ? "high" : "low";
}

/** Null: there is no room for it, or the conversation forbids it. */
function budgeted(
  request: NeutralRequest,
  messages: readonly Message[],
  traits: ModelTraits,
  omit: Omit,
): ThinkingFields | null {
  const { reasoning, outputTokensMax } = request;
  const wanted = reasoning?.budgetTokens ?? BUDGETS[reasoning?.effort ?? "medium"];
  const maxTokens = outputTokensOf(traits, outputTokensMax ?? wanted + ANSWER_TOKENS);
  const budget = Math.min(Math.max(wanted, BUDGET_MIN), Math.floor(maxTokens * (1 - ANSWER_SHARE)));
  if (budget < BUDGET_MIN) {
    omit("reasoning, as the longest answer leaves no room for it");
    return null;
  }
  if (!mayThink(messages)) {
    omit("reasoning, as the tool calls under way were made without");
    return null;
  }
  return {
    fields: { max_tokens: maxTokens, thinking: { type: "enabled", budget_tokens: budget } },
    effort: null,
    isThinking: true,
  };
}

/**
 * With a budget, an answer under way must have begun with Claude's thinking: one that is continued after tool
 * results, or one that the client began itself.
 */
function mayThink(messages: readonly Message[]): boolean {
  const startOfTurn = messages.findLastIndex(
    ({ role, content }) => role === "user" && content[0]?.type !== "tool_result",
  );
  const first = messages[startOfTurn + 1]?.content[0];
  return first === undefined || first.type === "thinking" || first.type === "redacted_thinking";
}

/** Anthropic's temperature ends where others' reaches its middle; with thinking, or in newer models, there is none. */
export function samplingFields(
  { temperature, topP, topK }: NeutralRequest,
  { hasSampling }: ModelTraits,
  isThinking: boolean,
  omit: Omit,
): Fields {
  if (!hasSampling || isThinking) {
    if (temperature !== null) omit("temperature");
    if (topP !== null) omit("top_p");
    if (topK !== null) omit("top_k");
    return {};
  }
  if (temperature !== null && temperature > 1) omit("temperature above 1");
  // Claude 4.5 and later refuse both at once.
  if (temperature !== null && topP !== null) omit("top_p");
  return {
    ...(temperature === null ? {} : { temperature: Math.min(temperature, 1) }),
    ...(topP === null || temperature !== null ? {} : { top_p: topP }),
    ...(topK === null ? {} : { top_k: topK }),
  };
}
