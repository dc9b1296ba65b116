/** What Claude Code makes of failures: the upstream's behind the relay, and the relay's own refusals. */
import assert from "node:assert/strict";
import { type Behaviour, rateLimited } from "../upstream/behaviour.ts";
import { assertAskedAgain, assertNothingHeld, assertSpared, recordsOf } from "./bookkeeping.ts";
import type { Check } from "./checks.ts";
import { claudeWith } from "./claude-code.ts";
import { assertSaid, type Bench } from "./cli.ts";
import { type FailoverScene, openFailoverScene, openScene } from "./stage.ts";

/** Claude Code asks for thinking, so this falls between the first two pieces of text. */
const EVENTS_INTO_TEXT = 7;
/** Longer than the relay itself waits for a conversation's own account. */
const RETRY_AFTER_S = 7;

const errorEvent = (afterEvents: number): Behaviour => ({
  kind: "errorEvent",
  afterEvents,
  errorType: "overloaded_error",
  message: "Overloaded",
});

const cut = (mode: "reset" | "cleanEnd"): Behaviour => ({ kind: "cut", afterEvents: EVENTS_INTO_TEXT, mode });

async function askAnyway(
  bench: Bench,
  scene: FailoverScene,
  trouble: Behaviour,
  expected: RegExp,
): Promise<void> {
  await bench.stage.upstream.next(scene.first.credential, trouble);
  const settings = { ANTHROPIC_AUTH_TOKEN: scene.key };
  const run = await claudeWith(bench, settings, (claude) => claude.ask("say it anyway"));
  assertSaid(run, expected);
}

/** An account that said it is overloaded is not asked again; one whose stream merely broke is: its cache is warm. */
async function recoversByItself(
  bench: Bench,
  name: string,
  trouble: Behaviour,
  servedBy: "first" | "spare",
): Promise<void> {
  const scene = await openFailoverScene(bench.stage, { name, provider: "claude-console" });
  // It keeps what it got and has the model go on from there, so the answer is to its own words.
  await askAnyway(bench, scene, trouble, /fake answer: /);
  await assertAskedAgain(bench.stage, scene, servedBy);
}

async function isSpared(bench: Bench): Promise<void> {
  const scene = await openFailoverScene(bench.stage, { name: "early-error", provider: "claude-console" });
  await askAnyway(bench, scene, errorEvent(0), /fake answer: say it anyway/);
  await assertSpared(bench.stage, scene);
}

async function waitsOutLimit(bench: Bench): Promise<void> {
  const scene = await openScene(bench.stage, { name: "limited", provider: "claude-console", accounts: 1 });
  await bench.stage.upstream.next("limited-1", rateLimited({ retryAfterS: RETRY_AFTER_S }));
  const startedAt = Date.now();
  const settings = { ANTHROPIC_AUTH_TOKEN: scene.key };
  const run = await claudeWith(bench, settings, (claude) => claude.ask("say it later"));
  assertSaid(run, /fake answer: say it later/);
  assert(Date.now() - startedAt >= RETRY_AFTER_S * 1000, "it did not wait");
  const records = await recordsOf(bench.stage, scene, 2);
  assert.deepEqual(
    records.map(({ status, outcome }) => ({ status, outcome })),
    [
      { status: 429, outcome: "failed" },
      { status: 200, outcome: "completed" },
    ],
  );
  await assertNothingHeld(bench.stage, scene);
}

async function givesUpOnWrongKey(bench: Bench): Promise<void> {
  const settings = { ANTHROPIC_AUTH_TOKEN: `cr_${"0".repeat(64)}`, CLAUDE_CODE_MAX_RETRIES: "1" };
  const run = await claudeWith(bench, settings, (claude) => claude.ask("let me in"));
  assert.equal(run.exitCode, 1, run.output);
  assert.match(run.output, /401|Invalid API key/);
}

export function claudeCodeFailureChecks(bench: Bench): readonly Check[] {
  return [
    {
      name: "Claude Code recovers from an error event inside its answer",
      run: () => recoversByItself(bench, "error-event", errorEvent(EVENTS_INTO_TEXT), "spare"),
    },
    {
      name: "Claude Code recovers from a connection that is cut inside its answer",
      run: () => recoversByItself(bench, "cut", cut("reset"), "first"),
    },
    {
      name: "Claude Code recovers from an answer that ends too early",
      run: () => recoversByItself(bench, "early-end", cut("cleanEnd"), "first"),
    },
    {
      name: "Claude Code does not notice an error that is an answer's first event",
      run: () => isSpared(bench),
    },
    {
      name: "Claude Code waits as long as retry-after says and then succeeds",
      run: () => waitsOutLimit(bench),
    },
    {
      name: "Claude Code gives up on a wrong key",
      run: () => givesUpOnWrongKey(bench),
    },
  ];
}
