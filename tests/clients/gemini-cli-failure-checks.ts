/** What Gemini CLI makes of failures: the upstream's behind the relay, and the relay's own refusals. */
import assert from "node:assert/strict";
import { answer, type Behaviour } from "../upstream/behaviour.ts";
import { modelOverloaded, quotaExceeded } from "../upstream/google/behaviours.ts";
import {
  assertAskedAgain,
  assertFaithful,
  assertNothingHeld,
  assertSpared,
  recordsOf,
} from "./bookkeeping.ts";
import type { Check } from "./checks.ts";
import { assertSaid, type Bench, type Run } from "./cli.ts";
import { geminiWith, MODEL } from "./gemini-cli.ts";
import { type FailoverScene, SILENCE_MS, openFailoverScene, openScene, type Scene } from "./stage.ts";

const PROVIDER = "gemini-api";
/** This falls between the first two pieces of text. */
const EVENTS_INTO_TEXT = 2;
/** Longer than the relay itself waits for a conversation's own account. */
const RETRY_DELAY_S = 7;

const cut = (mode: "reset" | "cleanEnd"): Behaviour => ({ kind: "cut", afterEvents: EVENTS_INTO_TEXT, mode });

const ask = (bench: Bench, scene: Pick<Scene, "key">, prompt: string): Promise<Run> =>
  geminiWith(bench, scene, "apiKey", (gemini) => gemini.ask(prompt, "-m", MODEL));

async function askAnyway(bench: Bench, scene: FailoverScene, trouble: Behaviour): Promise<void> {
  await bench.stage.upstream.next(scene.first.credential, trouble);
  assertSaid(await ask(bench, scene, "say it anyway"), /fake answer: say it anyway/);
}

async function recoversByItself(bench: Bench, name: string, trouble: Behaviour): Promise<void> {
  const scene = await openFailoverScene(bench.stage, { name, provider: PROVIDER });
  await askAnyway(bench, scene, trouble);
  await assertAskedAgain(bench.stage, scene, "first");
}

async function isSpared(bench: Bench): Promise<void> {
  const scene = await openFailoverScene(bench.stage, { name: "gemini-overloaded", provider: PROVIDER });
  await askAnyway(bench, scene, modelOverloaded());
  await assertSpared(bench.stage, scene);
}

async function comesBackAfterLimit(bench: Bench): Promise<void> {
  const scene = await openScene(bench.stage, { name: "gemini-limited", provider: PROVIDER, accounts: 1 });
  const limit = quotaExceeded("GenerateRequestsPerMinutePerProjectPerModel", `${String(RETRY_DELAY_S)}s`);
  await bench.stage.upstream.next("gemini-limited-1", limit);
  assertSaid(await ask(bench, scene, "say it later"), /fake answer: say it later/);
  await assertNothingHeld(bench.stage, scene);
}

/** A comment between two events would end it with "Incomplete JSON segment at the end". */
async function bearsSilence(bench: Bench): Promise<void> {
  const scene = await openScene(bench.stage, { name: "gemini-slow", provider: PROVIDER, accounts: 1 });
  await bench.stage.upstream.next("gemini-slow-1", answer({ events: 2, eventIntervalMs: SILENCE_MS }));
  assertSaid(await ask(bench, scene, "take your time"), /fake answer: take your time/);
  await assertFaithful(bench.stage, scene.accounts, await recordsOf(bench.stage, scene, 1));
}

async function givesUpOnWrongKey(bench: Bench): Promise<void> {
  const run = await ask(bench, { key: `cr_${"0".repeat(64)}` }, "let me in");
  assert.notEqual(run.exitCode, 0, run.output);
  assert.match(run.output, /401|UNAUTHENTICATED/);
}

export function geminiCliFailureChecks(bench: Bench): readonly Check[] {
  return [
    {
      name: "Gemini CLI recovers from an error inside its answer",
      run: () =>
        recoversByItself(bench, "gemini-error", {
          kind: "errorEvent",
          afterEvents: EVENTS_INTO_TEXT,
          errorType: "INTERNAL",
          message: "An internal error has occurred.",
        }),
    },
    {
      name: "Gemini CLI recovers from a connection that is cut inside its answer",
      run: () => recoversByItself(bench, "gemini-cut", cut("reset")),
    },
    {
      name: "Gemini CLI recovers from an answer that ends too early",
      run: () => recoversByItself(bench, "gemini-early-end", cut("cleanEnd")),
    },
    { name: "Gemini CLI does not notice an overloaded account", run: () => isSpared(bench) },
    {
      name: "Gemini CLI gets a slow answer without comments in it",
      run: () => bearsSilence(bench),
    },
    {
      name: "Gemini CLI comes back after a limit and then succeeds",
      run: () => comesBackAfterLimit(bench),
    },
    { name: "Gemini CLI gives up on a wrong key", run: () => givesUpOnWrongKey(bench) },
  ];
}
