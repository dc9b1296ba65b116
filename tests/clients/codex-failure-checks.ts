/** What Codex makes of failures: the upstream's behind the relay, and the relay's own refusals. */
import assert from "node:assert/strict";
import { answer, type Behaviour, openAiError } from "../upstream/behaviour.ts";
import {
  assertAskedAgain,
  assertFaithful,
  assertNothingHeld,
  assertSpared,
  recordsOf,
} from "./bookkeeping.ts";
import type { Check } from "./checks.ts";
import { assertSaid, type Bench } from "./cli.ts";
import { codexWith } from "./codex.ts";
import { type FailoverScene, SILENCE_MS, openFailoverScene, openScene } from "./stage.ts";

const PROVIDER = "openai-responses";
/** This falls between the first two pieces of text. */
const EVENTS_INTO_TEXT = 4;
/** Longer than the relay itself waits for a conversation's own account. */
const RETRY_AFTER_S = 7;

const errorEvent = (afterEvents: number): Behaviour => ({
  kind: "errorEvent",
  afterEvents,
  errorType: "server_error",
  message: "The server had an error",
});

const cut = (mode: "reset" | "cleanEnd"): Behaviour => ({ kind: "cut", afterEvents: EVENTS_INTO_TEXT, mode });

async function askAnyway(bench: Bench, scene: FailoverScene, trouble: Behaviour): Promise<void> {
  await bench.stage.upstream.next(scene.first.credential, trouble);
  const run = await codexWith(bench, scene, {}, (codex) => codex.ask("say it anyway"));
  assertSaid(run, /fake answer: say it anyway/);
}

async function recoversByItself(bench: Bench, name: string, trouble: Behaviour): Promise<void> {
  const scene = await openFailoverScene(bench.stage, { name, provider: PROVIDER });
  await askAnyway(bench, scene, trouble);
  await assertAskedAgain(bench.stage, scene, "first");
}

async function isSpared(bench: Bench): Promise<void> {
  const scene = await openFailoverScene(bench.stage, { name: "codex-early-error", provider: PROVIDER });
  await askAnyway(bench, scene, errorEvent(0));
  await assertSpared(bench.stage, scene);
}

async function waitsOutLimit(bench: Bench): Promise<void> {
  const scene = await openScene(bench.stage, { name: "codex-limited", provider: PROVIDER, accounts: 1 });
  const headers = { "retry-after": String(RETRY_AFTER_S) };
  await bench.stage.upstream.next(
    "codex-limited-1",
    openAiError(429, { code: "rate_limit_exceeded" }, headers),
  );
  const startedAt = Date.now();
  const run = await codexWith(bench, scene, {}, (codex) => codex.ask("say it later"));
  assertSaid(run, /fake answer: say it later/);
  assert(Date.now() - startedAt >= RETRY_AFTER_S * 1000, "it did not wait");
  await assertNothingHeld(bench.stage, scene);
}

async function bearsSilence(bench: Bench): Promise<void> {
  const scene = await openScene(bench.stage, { name: "codex-slow", provider: PROVIDER, accounts: 1 });
  await bench.stage.upstream.next("codex-slow-1", answer({ events: 1, eventIntervalMs: SILENCE_MS }));
  const run = await codexWith(bench, scene, {}, (codex) => codex.ask("take your time"));
  assertSaid(run, /fake answer: take your time/);
  await assertFaithful(bench.stage, scene.accounts, await recordsOf(bench.stage, scene, 1));
}

async function givesUpOnWrongKey(bench: Bench): Promise<void> {
  const key = `cr_${"0".repeat(64)}`;
  const run = await codexWith(bench, { key }, {}, (codex) => codex.ask("let me in"));
  assert.equal(run.exitCode, 1, run.output);
  assert.match(run.output, /401 Unauthorized/);
}

export function codexFailureChecks(bench: Bench): readonly Check[] {
  return [
    {
      name: "Codex recovers from an error event inside its answer",
      run: () => recoversByItself(bench, "codex-error-event", errorEvent(EVENTS_INTO_TEXT)),
    },
    {
      name: "Codex recovers from a connection that is cut inside its answer",
      run: () => recoversByItself(bench, "codex-cut", cut("reset")),
    },
    {
      name: "Codex recovers from an answer that ends too early",
      run: () => recoversByItself(bench, "codex-early-end", cut("cleanEnd")),
    },
    {
      name: "Codex does not notice an error that comes in place of its answer",
      run: () => isSpared(bench),
    },
    {
      name: "Codex bears the relay's comments in a slow answer",
      run: () => bearsSilence(bench),
    },
    {
      name: "Codex waits as long as retry-after says and then succeeds",
      run: () => waitsOutLimit(bench),
    },
    { name: "Codex gives up on a wrong key", run: () => givesUpOnWrongKey(bench) },
  ];
}
