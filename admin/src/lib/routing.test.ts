import { describe, expect, it } from "vitest";
import { accountIdSchema } from "../../../worker/domain/ids.ts";
import { routingSchema } from "../../../worker/domain/routing.ts";
import type { RoutingStep } from "./domain";
import { stepShown, storyOf } from "./routing";

const account = accountIdSchema.parse(`acc_${"0".repeat(26)}`);
const shown = (step: RoutingStep) => stepShown(step, (id) => (id === account ? "First" : "nobody"));

const STEPS: readonly (readonly [step: RoutingStep, sentence: string])[] = [
  [{ kind: "queued", waitedMs: 1200 }, "It waited 1.2 s in the queue of its key"],
  [
    { kind: "refused", account, reason: "full", retryAt: null, remembered: false },
    "First refused: every slot is taken",
  ],
  [
    { kind: "refused", account, reason: "rate_limited", retryAt: 5, remembered: true },
    "First was not asked, as it had just refused: rate limited",
  ],
  [{ kind: "moved", account }, "Its session lives with First"],
  [{ kind: "redirected", model: "gemini-3-pro" }, "Its key or group has it served by gemini-3-pro"],
  [
    { kind: "translated", account, protocol: "gemini", omitted: ["web_search"] },
    "For First it was translated to gemini, without web_search",
  ],
  [
    { kind: "stayed", account, waitedMs: 800 },
    "It waited 800 ms for First, so that its session could stay there",
  ],
  [{ kind: "leased", account, model: "sonnet", waitedMs: 0 }, "First took it, and was asked for sonnet"],
  [
    { kind: "leased", account, model: "sonnet", waitedMs: 70_000 },
    "First took it after 1 min 10 s in its queue, and was asked for sonnet",
  ],
  [
    { kind: "failed", account, reason: "overloaded", message: "Overloaded" },
    "First could not serve it: overloaded",
  ],
  [{ kind: "refreshed", account }, "The credential of First was refused and a fresh one tried"],
  [
    { kind: "repaired", account, removed: "2 thinking blocks" },
    "What First could not read was left out: 2 thinking blocks",
  ],
  [{ kind: "handed_over", account }, "Its session stays with First from now on"],
];

describe("stepShown", () => {
  it.each(STEPS)("says %j in a sentence", (step, sentence) => {
    expect(shown(step).sentence).toBe(sentence);
  });

  it("is tried with every kind of step there is", () => {
    const kinds = routingSchema.shape.steps.element.options.map(({ shape }) => shape.kind.value);
    expect(new Set(STEPS.map(([{ kind }]) => kind))).toEqual(new Set(kinds));
  });

  it("says until when an account refuses", () => {
    const refused = { kind: "refused", account, reason: "model", remembered: false } as const;
    expect(shown({ ...refused, retryAt: 5 }).until).toBe(5);
    expect(shown({ ...refused, retryAt: null }).until).toBeNull();
  });

  it("quotes what the upstream said, if it said anything", () => {
    const failed = { kind: "failed", account, reason: "network" } as const;
    expect(shown({ ...failed, message: "reset" }).quote).toBe("reset");
    expect(shown({ ...failed, message: "" }).quote).toBeNull();
  });

  it("keeps a reason that it does not know", () => {
    const step = { kind: "refused", account, reason: "moonlight", retryAt: null, remembered: false } as const;
    expect(shown(step).sentence).toBe("First refused: moonlight");
  });
});

describe("storyOf", () => {
  it("tells what is no longer kept from what was never asked for", () => {
    expect(storyOf(null)).toEqual({ kind: "forgotten" });
  });
});
