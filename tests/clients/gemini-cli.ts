/** Gemini CLI, as people point it at a relay. */
import { type Bench, type Run, withHome } from "./cli.ts";
import type { CliPackage } from "./install.ts";
import type { Scene } from "./stage.ts";

export const GEMINI_CLI: CliPackage = {
  title: "Gemini CLI",
  name: "@google/gemini-cli",
  version: "0.61.0",
  megabytes: 100,
  launcher: "bundle/gemini.js",
};

/** With a model named, it asks no other which one to ask. */
export const MODEL = "gemini-2.5-pro";

/** With a key of its own, or signed in, where it speaks to Code Assist. */
export type Way = "apiKey" | "codeAssist";

/** What it calls them; without the first, an address of one's own makes it refuse to start. */
const AUTH_TYPE: Readonly<Record<Way, string>> = { apiKey: "gemini-api-key", codeAssist: "oauth-personal" };

const settingsOf = (way: Way): string =>
  JSON.stringify({
    security: { auth: { selectedType: AUTH_TYPE[way] } },
    privacy: { usageStatisticsEnabled: false },
    general: { enableAutoUpdate: false },
  });

const ENV: Readonly<Record<Way, (relayUrl: string, key: string) => Readonly<Record<string, string>>>> = {
  apiKey: (relayUrl, key) => ({ GOOGLE_GEMINI_BASE_URL: relayUrl, GEMINI_API_KEY: key }),
  codeAssist: (relayUrl, key) => ({
    CODE_ASSIST_ENDPOINT: relayUrl,
    GOOGLE_GENAI_USE_GCA: "true",
    GOOGLE_CLOUD_ACCESS_TOKEN: key,
  }),
};

export interface GeminiCli {
  /** A prompt that begins a conversation. */
  ask(prompt: string, ...flags: readonly string[]): Promise<Run>;
  /** A prompt in the last conversation of this home. */
  goOn(prompt: string, ...flags: readonly string[]): Promise<Run>;
}

/** A fresh home that is set up for the key of a scene. */
export function geminiWith<Result>(
  bench: Bench,
  { key }: Pick<Scene, "key">,
  way: Way,
  use: (gemini: GeminiCli) => Promise<Result>,
): Promise<Result> {
  const env = { GEMINI_CLI_TRUST_WORKSPACE: "true", ...ENV[way](bench.stage.relayUrl, key) };
  const setup = { env, files: { ".gemini/settings.json": settingsOf(way) } };
  return withHome(bench, setup, (run) =>
    use({
      ask: (prompt, ...flags) => run("--yolo", ...flags, "-p", prompt),
      goOn: (prompt, ...flags) => run("--yolo", ...flags, "--resume", "latest", "-p", prompt),
    }),
  );
}
