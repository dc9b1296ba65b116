/** What the contract suite must know of each provider: one entry each, and none may be missing. */
import type { ProtocolId } from "../../../worker/domain/protocol-id.ts";
import { accessKeyId, bedrockAccount } from "../setup/bedrock.ts";
import { unique, upstream } from "../setup/relay.ts";
import { ANTHROPIC, BEDROCK, GOOGLE, OPENAI, type Vendor } from "./vendors.ts";

type Fields = Readonly<Record<string, unknown>>;

/** `expired`: the relay knows that the token has ended; `revoked`: only the upstream does. */
export type TokenState = "good" | "expired" | "revoked";

export interface FixtureAccount {
  /** By which the fake knows the account. */
  readonly subject: string;
  /** What an admin enters, besides name and groups. */
  readonly input: Fields;
}

export interface ProviderFixture {
  /** A new account at the fake; the state matters only where tokens are refreshed. */
  account(state: TokenState): Promise<FixtureAccount>;
  /** Whose errors its upstream gives in a dialect. */
  readonly vendorOf: (protocol: ProtocolId) => Vendor;
  /** Its stream reaches the client byte for byte; otherwise event for event. */
  readonly passesBytes: boolean;
  /** What stands before the dialect's paths where its accounts are reached nowhere else. */
  readonly prefixOf?: (protocol: ProtocolId) => string;
  /** What the upstream gets for a client's body, where that is not the very same. */
  readonly upstreamBody?: (body: Fields, model: string) => Fields;
}

const HOUR_S = 3600;

const keyAccount = (provider: string, vendor: Vendor, more: Fields = {}): ProviderFixture => ({
  async account() {
    const subject = unique("sk-ant-contract");
    return {
      subject,
      input: { provider, credential: { apiKey: subject, ...more }, baseUrl: upstream.url },
    };
  },
  vendorOf: () => vendor,
  passesBytes: true,
});

interface OAuthOptions {
  /** Of the credential, beside its tokens. */
  readonly credential?: Fields;
  readonly basePath?: string;
  readonly tokenPath?: string;
  /** false: the refresh token stays the same. */
  readonly rotates?: boolean;
  /** Its tokens work only with the vendor's beta flag. */
  readonly requireBeta?: boolean;
}

function oauthAccount(
  provider: string,
  {
    credential = {},
    basePath = "",
    rotates = true,
    requireBeta = false,
    tokenPath = "/oauth/token",
  }: OAuthOptions = {},
): ProviderFixture["account"] {
  return async (state) => {
    const subject = unique("family");
    const [accessToken, refreshToken] = [unique("access"), unique("refresh")];
    await upstream.seedOAuth({
      family: subject,
      accessToken,
      refreshToken,
      expiresInS: state === "good" ? HOUR_S : -10,
      refreshedExpiresInS: HOUR_S,
      // Long enough that a second call would begin before the first has ended.
      refreshBehaviours: [{ delayMs: 100 }],
      strict: true,
      rotates,
      requireBeta,
    });
    const expiresAt = Date.now() + (state === "expired" ? -10_000 : HOUR_S * 1000);
    return {
      subject,
      input: {
        provider,
        credential: { accessToken, refreshToken, expiresAt, ...credential },
        baseUrl: `${upstream.url}${basePath}`,
        tokenUrl: `${upstream.url}${tokenPath}`,
      },
    };
  };
}

const DEPLOYMENT = "deployment-of-the-account";
const PROJECT = "project-of-the-account";

const DROID_PREFIXES: Partial<Record<ProtocolId, string>> = {
  anthropic: "/droid/claude",
  "openai-responses": "/droid/openai",
  "openai-chat": "/droid/comm",
};

const FIXTURES: Readonly<Record<string, ProviderFixture>> = {
  "claude-oauth": {
    account: oauthAccount("claude-oauth", { requireBeta: true }),
    vendorOf: () => ANTHROPIC,
    passesBytes: true,
  },
  "claude-console": keyAccount("claude-console", ANTHROPIC),
  ccr: keyAccount("ccr", ANTHROPIC),
  bedrock: {
    async account() {
      const subject = accessKeyId();
      return { subject, input: bedrockAccount(subject) };
    },
    vendorOf: () => BEDROCK,
    passesBytes: false,
    upstreamBody: ({ model: _, stream: _stream, ...rest }) => ({
      anthropic_version: "bedrock-2023-05-31",
      ...rest,
    }),
  },
  "openai-responses": keyAccount("openai-responses", OPENAI),
  "openai-chat": keyAccount("openai-chat", OPENAI),
  "azure-openai": {
    ...keyAccount("azure-openai", OPENAI, { endpoint: upstream.url, deployment: DEPLOYMENT }),
    // A chat's deployment stands in the path.
    upstreamBody: (body) => ("input" in body ? { ...body, model: DEPLOYMENT } : body),
  },
  "openai-oauth": {
    account: oauthAccount("openai-oauth", { basePath: "/backend-api/codex" }),
    vendorOf: () => OPENAI,
    passesBytes: true,
  },
  "gemini-api": keyAccount("gemini-api", GOOGLE),
  "gemini-oauth": {
    account: oauthAccount("gemini-oauth", { credential: { projectId: PROJECT }, rotates: false }),
    vendorOf: () => GOOGLE,
    passesBytes: false,
    upstreamBody: (request, model) => ({ model, project: PROJECT, request }),
  },
  droid: {
    account: oauthAccount("droid", { basePath: "/api/llm", tokenPath: "/user_management/authenticate" }),
    vendorOf: (protocol) => (protocol === "anthropic" ? ANTHROPIC : OPENAI),
    passesBytes: true,
    prefixOf: (protocol) => DROID_PREFIXES[protocol] ?? "",
  },
};

export const FIXTURE_IDS = Object.keys(FIXTURES);

/** Throws where a provider has none, so that no provider goes untested. */
export function fixtureOf(provider: string): ProviderFixture {
  const fixture = FIXTURES[provider];
  if (fixture !== undefined) return fixture;
  throw new Error(
    `The provider "${provider}" has no entry in tests/integration/contract/fixtures.ts: add one, and the contract is tried on it.`,
  );
}
