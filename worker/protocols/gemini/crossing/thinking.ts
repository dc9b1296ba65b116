/** How much a Gemini model thinks: budgets in tokens for 2.5, levels from 3 on. Pure. */
import type { Effort, Reasoning } from "../../neutral.ts";

export interface ThinkingConfig {
  readonly thinkingBudget?: number;
  readonly thinkingLevel?: string;
  readonly includeThoughts?: boolean;
}

/** The model thinks as much as it likes. */
const DYNAMIC_BUDGET = -1;

const BUDGETS = {
  none: 0,
  minimal: 512,
  low: 1024,
  medium: 8192,
  high: 24_576,
  xhigh: 24_576,
  max: 24_576,
} as const satisfies Record<Effort, number>;

/** Up to how many tokens of a budget a level stands for: between the budgets of two efforts. */
const LOW_BUDGET_MAX = 4096;
const MEDIUM_BUDGET_MAX = 16_384;

/** The generation in a model's name; aliases without a number are of the newest. */
function generationOf(model: string): number | null {
  const [name, number] = /gemini-(?:(\d+(?:\.\d+)?)(?![\d.]))?/.exec(model) ?? [];
  if (name === undefined) return null;
  return number === undefined ? Infinity : Number(number);
}

/** From Gemini 3 on, a function call of the running turn is refused without a signature. */
export const requiresSignatures = (model: string): boolean => (generationOf(model) ?? 0) >= 3;

/** Null where the model cannot be told to think, so that nothing may be said of it. */
export function thinkingConfig(model: string, reasoning: Reasoning): ThinkingConfig | null {
  const generation = generationOf(model);
  if (generation === null || generation < 2.5) return null;
  return {
    ...(generation < 3 ? budgetOf(model, reasoning) : levelOf(model, reasoning)),
    ...(reasoning.visible ? { includeThoughts: true } : {}),
  };
}

function budgetOf(model: string, { effort, budgetTokens }: Reasoning): ThinkingConfig {
  const wanted = budgetTokens ?? (effort === null ? null : BUDGETS[effort]);
  return wanted === null ? {} : { thinkingBudget: withinRange(model, wanted) };
}

/** The ranges of ai.google.dev/gemini-api/docs/thinking: only the Flash models can be told not to think. */
function withinRange(model: string, budget: number): number {
  if (!model.includes("flash")) return clamp(budget, 128, 32_768);
  if (budget <= 0) return 0;
  return clamp(budget, model.includes("lite") ? 512 : 1, 24_576);
}

const clamp = (value: number, min: number, max: number): number => Math.min(max, Math.max(min, value));

/** A budget and a level together are refused; the level is what these models go by. */
function levelOf(model: string, { effort, budgetTokens }: Reasoning): ThinkingConfig {
  const wanted = effort ?? (budgetTokens === null ? null : effortOf(budgetTokens));
  return wanted === null ? {} : { thinkingLevel: nearestLevel(model, wanted) };
}

function effortOf(budgetTokens: number): Effort {
  if (budgetTokens <= 0) return "none";
  if (budgetTokens <= LOW_BUDGET_MAX) return "low";
  return budgetTokens <= MEDIUM_BUDGET_MAX ? "medium" : "high";
}

/** None of these models stops thinking altogether; only Flash goes below `LOW`, and 3 Pro has no `MEDIUM`. */
function nearestLevel(model: string, effort: Effort): string {
  switch (effort) {
    case "none":
    case "minimal":
      return model.includes("flash") ? "MINIMAL" : "LOW";
    case "low":
      return "LOW";
    case "medium":
      return /gemini-3-pro/.test(model) ? "HIGH" : "MEDIUM";
    case "high":
    case "xhigh":
    case "max":
      return "HIGH";
  }
}

const LEVELS: Readonly<Record<string, Effort>> = {
  MINIMAL: "minimal",
  LOW: "low",
  MEDIUM: "medium",
  HIGH: "high",
};

/** What a client asks for with its `thinkingConfig`. */
export function readThinking(config: {
  readonly thinkingBudget?: number | undefined;
  readonly thinkingLevel?: string | undefined;
  readonly includeThoughts?: boolean | undefined;
}): Reasoning {
  const visible = config.includeThoughts ?? false;
  const budget = config.thinkingBudget ?? DYNAMIC_BUDGET;
  if (budget === 0) return { effort: "none", budgetTokens: null, visible };
  const effort = LEVELS[(config.thinkingLevel ?? "").toUpperCase()] ?? null;
  return { effort, budgetTokens: budget > 0 ? budget : null, visible };
}
