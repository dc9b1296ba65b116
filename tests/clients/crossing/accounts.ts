/** Accounts that speak one dialect each, and the model that a key asks them for instead of the client's. */
import assert from "node:assert/strict";
import type { ProtocolId } from "../../../worker/domain/protocol-id.ts";
import type { UsageRecord } from "../../../worker/domain/usage.ts";
import { openScene, type Scene, type SceneAccount, type SceneProvider, type Stage } from "../stage.ts";

export const SERVED_BY = {
  "claude-console": { protocol: "anthropic", model: "claude-opus-5-5" },
  "openai-responses": { protocol: "openai-responses", model: "gpt-6-sol" },
  "openai-oauth": { protocol: "openai-responses", model: "gpt-6-sol" },
  "openai-chat": { protocol: "openai-chat", model: "deepseek-chat" },
  "gemini-api": { protocol: "gemini", model: "gemini-3-pro" },
} as const satisfies Partial<
  Record<SceneProvider, { readonly protocol: ProtocolId; readonly model: string }>
>;

export type CrossingProvider = keyof typeof SERVED_BY;

export interface CrossingScene extends Scene {
  readonly provider: CrossingProvider;
  readonly account: SceneAccount;
}

/** One account of the provider, whose calls the fake keeps, behind a key that maps every model to the account's. */
export async function openCrossing(
  stage: Stage,
  name: string,
  provider: CrossingProvider,
): Promise<CrossingScene> {
  const modelMap = { "*": SERVED_BY[provider].model };
  const scene = await openScene(stage, { name, provider, accounts: 1, modelMap });
  const [account] = scene.accounts;
  if (account === undefined) throw new Error("a scene of one account has none");
  await stage.upstream.recordBodies(account.credential);
  return { ...scene, provider, account };
}

/** The ledger has both sides: in which dialect and for which models the client asked, and who served it. */
export function assertCrossed(
  records: readonly UsageRecord[],
  { provider: served }: CrossingScene,
  client: { readonly protocol: ProtocolId; readonly models: RegExp },
): void {
  const { model: servedModel } = SERVED_BY[served];
  for (const { protocol, provider, requestedModel, model } of records) {
    assert.deepEqual([protocol, provider, model], [client.protocol, served, servedModel]);
    assert.match(requestedModel, client.models);
  }
}
