/** What to put where, so that a client speaks to the relay with a key. Pure. */

export interface Snippet {
  readonly label: string;
  readonly text: string;
}

/** Stands where the relay's address belongs when the admin was not told it. */
export const UNKNOWN_RELAY_URL = "https://<your relay>";

export function snippetsFor(key: string, relayUrl: string): readonly Snippet[] {
  return [
    {
      label: "Claude Code, in a shell",
      text: `export ANTHROPIC_BASE_URL="${relayUrl}"\nexport ANTHROPIC_AUTH_TOKEN="${key}"\nclaude`,
    },
    {
      label: "Claude Code, in PowerShell",
      text: `$env:ANTHROPIC_BASE_URL = "${relayUrl}"\n$env:ANTHROPIC_AUTH_TOKEN = "${key}"\nclaude`,
    },
    {
      label: "Claude Code, for good: ~/.claude/settings.json",
      text: JSON.stringify({ env: { ANTHROPIC_BASE_URL: relayUrl, ANTHROPIC_AUTH_TOKEN: key } }, null, 2),
    },
  ];
}
