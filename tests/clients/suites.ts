/** The clients that are checked, by the names that people choose them by. */
import { anthropicSdkChecks } from "./anthropic-sdk-checks.ts";
import type { Check } from "./checks.ts";
import { claudeCodeChecks } from "./claude-code-checks.ts";
import { CLAUDE_CODE } from "./claude-code.ts";
import type { Bench } from "./cli.ts";
import { codexChecks } from "./codex-checks.ts";
import { CODEX } from "./codex.ts";
import {
  crossingClaudeCodeChecks,
  crossingCodexChecks,
  crossingGeminiCliChecks,
} from "./crossing/cli-checks.ts";
import { crossingSdkChecks } from "./crossing/sdk-checks.ts";
import { droidChecks } from "./droid-checks.ts";
import { DROID } from "./droid.ts";
import { geminiCliChecks } from "./gemini-cli-checks.ts";
import { GEMINI_CLI } from "./gemini-cli.ts";
import { googleSdkChecks } from "./google-sdk-checks.ts";
import { type CliPackage, ensureInstalled } from "./install.ts";
import { openAiSdkChecks } from "./openai-sdk-checks.ts";
import type { Stage } from "./stage.ts";

type Suite = (stage: Stage, signal: AbortSignal) => Promise<readonly Check[]>;

const installed =
  (wanted: CliPackage, checksOf: (bench: Bench) => Promise<readonly Check[]>): Suite =>
  async (stage, signal) =>
    checksOf({ stage, cli: await ensureInstalled(wanted, signal), signal });

export const SUITES = {
  "anthropic-sdk": anthropicSdkChecks,
  "openai-sdk": openAiSdkChecks,
  "google-sdk": googleSdkChecks,
  "crossing-sdks": crossingSdkChecks,
  "claude-code": installed(CLAUDE_CODE, claudeCodeChecks),
  codex: installed(CODEX, codexChecks),
  "gemini-cli": installed(GEMINI_CLI, geminiCliChecks),
  droid: installed(DROID, droidChecks),
  "crossing-claude-code": installed(CLAUDE_CODE, crossingClaudeCodeChecks),
  "crossing-codex": installed(CODEX, crossingCodexChecks),
  "crossing-gemini-cli": installed(GEMINI_CLI, crossingGeminiCliChecks),
} as const satisfies Readonly<Record<string, Suite>>;

export type ClientName = keyof typeof SUITES;

export const isClientName = (name: string): name is ClientName => Object.hasOwn(SUITES, name);
