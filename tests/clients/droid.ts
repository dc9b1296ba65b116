/** Droid with models of one's own, as people point it at a relay. */
import { type Bench, type Run, withHome } from "./cli.ts";
import type { CliPackage } from "./install.ts";
import type { Scene } from "./stage.ts";

export const DROID: CliPackage = {
  title: "Droid",
  name: "droid",
  version: "0.215.0",
  megabytes: 300,
  launcher: "bin/droid",
  isProgram: true,
};

/** What it calls the dialects that a model may speak. */
export type Dialect = "anthropic" | "openai" | "generic-chat-completion-api";

/** It takes the address of the one without `/v1`, of the others with it. */
const MODELS: Readonly<Record<Dialect, { readonly model: string; readonly base: string }>> = {
  anthropic: { model: "claude-haiku-4-5", base: "" },
  openai: { model: "gpt-5.5", base: "/v1" },
  // It tells models that it knows to be OpenAI's apart from others, and complains of them here.
  "generic-chat-completion-api": { model: "house-model", base: "/v1" },
};

function settingsOf(relayUrl: string, key: string, dialect: Dialect): string {
  const { model, base } = MODELS[dialect];
  const custom = {
    id: "custom:relay",
    displayName: "Relay",
    model,
    baseUrl: relayUrl + base,
    apiKey: key,
    provider: dialect,
    maxOutputTokens: 4_000,
  };
  return JSON.stringify({ customModels: [custom] });
}

/** The key of its maker's own service must be there and is not used; nothing but the model calls leaves the process. */
const QUIET = { FACTORY_API_KEY: "fk-not-used", FACTORY_AIRGAP_ENABLED: "true" };

export interface Droid {
  /** A prompt that begins a conversation. */
  ask(prompt: string): Promise<Run>;
}

/** A fresh home that is set up for the key of a scene. */
export function droidWith<Result>(
  bench: Bench,
  { key }: Pick<Scene, "key">,
  dialect: Dialect,
  use: (droid: Droid) => Promise<Result>,
): Promise<Result> {
  const files = { ".factory/settings.json": settingsOf(bench.stage.relayUrl, key, dialect) };
  const flags = ["--skip-permissions-unsafe", "-m", "custom:relay"];
  return withHome(bench, { env: QUIET, files }, (run) =>
    use({ ask: (prompt) => run("exec", ...flags, prompt) }),
  );
}
