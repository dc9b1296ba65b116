/** Finds the project that Code Assist gives an account, and signs the account up where it has none yet. */
import { parseJson } from "../../domain/json.ts";
import { z } from "zod";
import type { RefreshResult, TokenCallContext } from "../provider.ts";
import { type GeminiOAuthCredential } from "./token.ts";

export const DEFAULT_BASE_URL = "https://cloudcode-pa.googleapis.com";

/** Base URLs are entered with and without the version behind the host. */
export const methodUrl = (baseUrl: string | null, method: string): string =>
  `${(baseUrl ?? DEFAULT_BASE_URL).replace(/\/+$/, "").replace(/\/v1internal$/, "")}/v1internal:${method}`;

const METADATA = { ideType: "IDE_UNSPECIFIED", platform: "PLATFORM_UNSPECIFIED", pluginType: "GEMINI" };

const loadedSchema = z.object({
  currentTier: z.unknown().optional(),
  allowedTiers: z
    .array(z.object({ id: z.string(), isDefault: z.boolean().default(false) }))
    .catch([])
    .default([]),
  cloudaicompanionProject: z.string().nullable().catch(null).default(null),
});
const onboardedSchema = z.object({
  response: z.object({ cloudaicompanionProject: z.object({ id: z.string() }) }),
});

/**
 * The credential with its project, where it can be found. A failure is no reason to refuse the tokens: the account
 * may serve without, and the next refresh asks again.
 */
export async function withProject(
  result: RefreshResult<GeminiOAuthCredential>,
  context: TokenCallContext,
): Promise<RefreshResult<GeminiOAuthCredential>> {
  if (result.kind !== "refreshed" || result.credential.projectId !== null) return result;
  const { credential } = result;
  const ask = async (method: string, body: object): Promise<unknown> => {
    const answer = await context.call(methodUrl(context.baseUrl ?? null, method), {
      headers: {
        "content-type": "application/json",
        accept: "application/json",
        authorization: `Bearer ${credential.accessToken}`,
      },
      body: JSON.stringify({ ...body, metadata: METADATA }),
    });
    return answer.status === 200 ? parseJson(answer.text) : null;
  };
  const projectId = await findProject(ask).catch(() => null);
  return { kind: "refreshed", credential: { ...credential, projectId } };
}

async function findProject(ask: (method: string, body: object) => Promise<unknown>): Promise<string | null> {
  const loaded = loadedSchema.safeParse(await ask("loadCodeAssist", {}));
  if (!loaded.success) return null;
  const { currentTier, allowedTiers, cloudaicompanionProject } = loaded.data;
  if (cloudaicompanionProject !== null || (currentTier !== undefined && currentTier !== null)) {
    return cloudaicompanionProject;
  }
  const tier = allowedTiers.find(({ isDefault }) => isDefault);
  if (tier === undefined) return null;
  // Signing up takes the upstream some seconds; what is not done at once is found by the next refresh.
  const onboarded = onboardedSchema.safeParse(await ask("onboardUser", { tierId: tier.id }));
  return onboarded.success ? onboarded.data.response.cloudaicompanionProject.id : null;
}
