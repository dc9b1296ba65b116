/** How a request found its account, in sentences. Pure. */
import type { EpochMs, Routing, RoutingStep } from "./domain";
import { formatDuration } from "./format";
import { refusalText } from "./state";

/** What can be said of a request's way. */
export type Story =
  | { readonly kind: "told"; readonly routing: Routing }
  /** Only the newest requests keep it. */
  | { readonly kind: "forgotten" }
  /** Nobody could be asked. */
  | { readonly kind: "unread" };

export const storyOf = (routing: Routing | null): Story =>
  routing === null ? { kind: "forgotten" } : { kind: "told", routing };

export interface StepShown {
  readonly sentence: string;
  /** Until when the account refuses; null: it did not say, or did not refuse. */
  readonly until: EpochMs | null;
  /** What the upstream said; null: nothing. */
  readonly quote: string | null;
}

export type NameOf = (accountId: string) => string;

export function stepShown(step: RoutingStep, nameOf: NameOf): StepShown {
  const sentence = sentenceOf(step, nameOf);
  return {
    sentence,
    until: step.kind === "refused" ? step.retryAt : null,
    quote: step.kind === "failed" && step.message !== "" ? step.message : null,
  };
}

function sentenceOf(step: RoutingStep, nameOf: NameOf): string {
  switch (step.kind) {
    case "queued":
      return `It waited ${formatDuration(step.waitedMs)} in the queue of its key`;
    case "redirected":
      return `Its key or group has it served by ${step.model}`;
    case "translated":
      return `For ${nameOf(step.account)} it was translated to ${step.protocol}${withoutThese(step.omitted)}`;
    case "refused":
      return step.remembered
        ? `${nameOf(step.account)} was not asked, as it had just refused: ${refusalText(step.reason)}`
        : `${nameOf(step.account)} refused: ${refusalText(step.reason)}`;
    case "moved":
      return `Its session lives with ${nameOf(step.account)}`;
    case "stayed":
      return `It waited ${formatDuration(step.waitedMs)} for ${nameOf(step.account)}, so that its session could stay there`;
    case "leased":
      return `${nameOf(step.account)} took it${waited(step.waitedMs)}, and was asked for ${step.model}`;
    case "failed":
      return `${nameOf(step.account)} could not serve it: ${refusalText(step.reason)}`;
    case "refreshed":
      return `The credential of ${nameOf(step.account)} was refused and a fresh one tried`;
    case "repaired":
      return `What ${nameOf(step.account)} could not read was left out: ${step.removed}`;
    case "handed_over":
      return `Its session stays with ${nameOf(step.account)} from now on`;
  }
}

const withoutThese = (omitted: readonly string[]): string =>
  omitted.length === 0 ? "" : `, without ${omitted.join(", ")}`;

const waited = (ms: number): string => (ms === 0 ? "" : ` after ${formatDuration(ms)} in its queue`);
