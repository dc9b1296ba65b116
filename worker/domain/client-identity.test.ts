import { describe, expect, it } from "vitest";
import { identifyClient } from "./client-identity.ts";

const identify = (headers: Record<string, string>) => identifyClient(new Headers(headers)).client;

const CLAUDE = { "x-app": "cli", "anthropic-version": "2023-06-01" };
const CODEX_USER_AGENT = "codex_exec/0.169.0 (Debian 12.0.0; x86_64) xterm (codex_exec; 0.169.0)";

describe("identifyClient", () => {
  it.each([
    ["claude-code", { ...CLAUDE, "user-agent": "claude-cli/2.1.329 (external, sdk-cli)" }],
    ["claude-code", { ...CLAUDE, "user-agent": "claude-cli/2.1.329 (external, cli)" }],
    ["claude-code", { ...CLAUDE, "user-agent": "claude-cli/2.0.76 (external, cli)" }],
    ["codex-cli", { originator: "codex_exec", "user-agent": CODEX_USER_AGENT }],
    [
      "codex-cli",
      { originator: "codex_cli_rs", "user-agent": "codex_cli_rs/0.169.0 (Debian 12.0.0; x86_64) xterm" },
    ],
    [
      "codex-cli",
      { originator: "codex-tui", "user-agent": "codex-tui/0.169.0 (Debian 12.0.0; x86_64) xterm" },
    ],
    [
      "codex-cli",
      { originator: "Codex Desktop", "user-agent": "Codex Desktop/0.169.0 (Mac OS 26.1; arm64)" },
    ],
    ["gemini-cli", { "user-agent": "GeminiCLI-tui/0.61.0/gemini-3.1-pro-preview (linux; x64; terminal)" }],
    ["gemini-cli", { "user-agent": "GeminiCLI/v0.20.0 (linux; x64)" }],
    ["droid", { "user-agent": "factory-cli/0.215.0" }],
    ["droid", { "user-agent": "factory-cli/0.215.0", "x-factory-client": "cli" }],
  ])("knows %s by what it really sends: %j", (client, headers) => {
    expect(identify(headers)).toBe(client);
  });

  it.each([
    [
      "Claude Code without its x-app",
      { ...CLAUDE, "x-app": null, "user-agent": "claude-cli/2.1.329 (external, cli)" },
    ],
    [
      "Claude Code without anthropic-version",
      { "x-app": "cli", "user-agent": "claude-cli/2.1.329 (external, cli)" },
    ],
    ["Claude Code in the middle of another name", { ...CLAUDE, "user-agent": "my claude-cli/2.1.329" }],
    ["Claude Code without a version", { ...CLAUDE, "user-agent": "claude-cli" }],
    ["Codex without an originator", { "user-agent": CODEX_USER_AGENT }],
    ["Codex with another's originator", { originator: "codex_cli_rs", "user-agent": CODEX_USER_AGENT }],
    ["Gemini CLI without a version", { "user-agent": "GeminiCLI" }],
    [
      "Droid that calls itself something else",
      { "user-agent": "factory-cli/0.215.0", "x-factory-client": "web" },
    ],
  ])("does not take for a client what only resembles it: %s", (_, headers) => {
    const sent = Object.entries(headers).filter((header): header is [string, string] => header[1] !== null);
    expect(identify(Object.fromEntries(sent))).toBeNull();
  });

  it.each(["Anthropic/JS 1.11.0", "OpenAI/JS 7.55.0", "google-genai-sdk/3.1.0 gl-node/v24.21.0", "node", ""])(
    "knows no client behind %j",
    (userAgent) => {
      expect(identify({ ...CLAUDE, originator: "codex_exec", "user-agent": userAgent })).toBeNull();
    },
  );

  it("keeps a User-Agent of reasonable length, and an empty one where there is none", () => {
    expect(identifyClient(new Headers({ "user-agent": "a".repeat(1000) })).userAgent).toHaveLength(300);
    expect(identifyClient(new Headers())).toEqual({ client: null, userAgent: "" });
  });
});
