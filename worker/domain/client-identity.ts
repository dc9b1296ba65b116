/** Which program calls: what its headers say, and the clients a key may be restricted to. Pure. */

/** Clients known by name. */
export const CLIENTS = ["claude-code", "codex-cli", "gemini-cli", "droid"] as const;
export type ClientId = (typeof CLIENTS)[number];

export interface ClientIdentity {
  /** The known client whose User-Agent and signature both fit; null: none of them. */
  readonly client: ClientId | null;
  /** As sent, bounded; empty where there is none. */
  readonly userAgent: string;
}

const USER_AGENT_LENGTH_MAX = 300;

interface Signature {
  readonly userAgent: RegExp;
  /**
   * Headers that the real client always sends beside its User-Agent, from captures of Claude Code 2.0 and 2.1,
   * Codex 0.169, Gemini CLI 0.61 and Droid 0.215. This is a policy for our own users, not a defence: a program
   * that wants to pass for another one can.
   */
  readonly headersFit: (headers: Headers, userAgent: string) => boolean;
}

const CODEX_USER_AGENT = /^(codex_[a-z_]+|codex-tui|codex desktop)\/\d/i;

const SIGNATURES: Readonly<Record<ClientId, Signature>> = {
  "claude-code": {
    userAgent: /^claude-(cli|code)\/\d+\.\d+\.\d+/i,
    headersFit: (headers) => headers.has("x-app") && headers.has("anthropic-version"),
  },
  "codex-cli": {
    userAgent: CODEX_USER_AGENT,
    headersFit: (headers, userAgent) =>
      headers.get("originator")?.toLowerCase() === CODEX_USER_AGENT.exec(userAgent)?.[1]?.toLowerCase(),
  },
  "gemini-cli": { userAgent: /^GeminiCLI(-[\w-]+)?\/v?\d/i, headersFit: () => true },
  droid: {
    userAgent: /factory-cli\/\d/i,
    headersFit: (headers) => /droid|factory-cli|cli/i.test(headers.get("x-factory-client") ?? "cli"),
  },
};

export function identifyClient(headers: Headers): ClientIdentity {
  const userAgent = (headers.get("user-agent") ?? "").slice(0, USER_AGENT_LENGTH_MAX);
  const client = CLIENTS.find(
    (id) => SIGNATURES[id].userAgent.test(userAgent) && SIGNATURES[id].headersFit(headers, userAgent),
  );
  return { client: client ?? null, userAgent };
}
