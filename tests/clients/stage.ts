/** The relay and the fake upstream behind it, and scenes on them: accounts and a key that share nothing with others. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startStack } from "../../scripts/local/stack.ts";
import type { UpstreamControl } from "../upstream/client.ts";
import { startUpstream } from "../upstream/server.ts";
import { type Admin, signIn } from "./admin.ts";

/** Silence after which the relay puts a comment into a stream, wherever it puts any. */
const HEARTBEAT_MS = 1_000;
/** Between two events of an upstream that is slow enough for comments. */
export const SILENCE_MS = 1_500;

export interface Stage {
  readonly relayUrl: string;
  readonly admin: Admin;
  readonly upstream: UpstreamControl;
  /** Rejects when the relay ends by itself. */
  readonly failed: Promise<never>;
  close(): Promise<void>;
}

export async function openStage(signal: AbortSignal): Promise<Stage> {
  const stateDir = await mkdtemp(join(tmpdir(), "relay-clients-"));
  const upstream = await startUpstream();
  const clean = async (): Promise<void> => {
    await upstream.close();
    await rm(stateDir, { recursive: true, force: true });
  };
  try {
    const env = { HEARTBEAT_MS: String(HEARTBEAT_MS) };
    const stack = await startStack({ port: 0, adminPort: 0, stateDir, env, admin: false, signal });
    return {
      relayUrl: stack.relayUrl,
      admin: await signIn(stack),
      upstream: upstream.control,
      failed: stack.failed,
      async close() {
        await stack.stop();
        await clean();
      },
    };
  } catch (error) {
    await clean();
    throw error;
  }
}

/** How an account of a provider at the fake upstream is entered. */
const ENTRIES = {
  "claude-console": (secret: string, url: string) => ({ credential: { apiKey: secret }, baseUrl: url }),
  "openai-responses": (secret: string, url: string) => ({ credential: { apiKey: secret }, baseUrl: url }),
  "openai-oauth": (secret: string, url: string) => ({
    credential: signedIn(secret),
    baseUrl: `${url}/backend-api/codex`,
  }),
  "openai-chat": (secret: string, url: string) => ({ credential: { apiKey: secret }, baseUrl: url }),
  "gemini-api": (secret: string, url: string) => ({ credential: { apiKey: secret }, baseUrl: url }),
  "gemini-oauth": (secret: string, url: string) => ({
    credential: { ...signedIn(secret), projectId: "project-1" },
    baseUrl: url,
  }),
} as const;

export type SceneProvider = keyof typeof ENTRIES;

/** A token that never has to be refreshed. */
const signedIn = (accessToken: string) => ({ accessToken, refreshToken: "", expiresAt: null });

export interface SceneAccount {
  readonly id: string;
  /** Also the name under which the fake upstream keeps behaviours and figures. */
  readonly credential: string;
}

export interface Scene {
  readonly keyId: string;
  /** The relay key as a client sends it. */
  readonly key: string;
  readonly accounts: readonly SceneAccount[];
}

export interface SceneOptions {
  readonly name: string;
  readonly provider: SceneProvider;
  readonly accounts: number;
  /** Each account has a priority of its own, so that the first one serves as long as it can. */
  readonly inOrder?: boolean;
  /** Of the key: which model is asked for instead. */
  readonly modelMap?: Readonly<Record<string, string>>;
}

/** A group of accounts and a key bound to it, so that cooldowns of one scene never reach another. */
export async function openScene(stage: Stage, options: SceneOptions): Promise<Scene> {
  const { name, provider } = options;
  const accounts: SceneAccount[] = [];
  for (let index = 1; index <= options.accounts; index++) {
    const credential = `${name}-${String(index)}`;
    const { id } = await stage.admin.createAccount({
      name: credential,
      provider,
      ...ENTRIES[provider](credential, stage.upstream.url),
      priority: options.inOrder === true ? index : 50,
      groups: [name],
    });
    accounts.push({ id, credential });
  }
  const { id, key } = await stage.admin.createKey({
    name,
    binding: { kind: "group", group: name },
    modelMap: options.modelMap ?? {},
  });
  return { keyId: id, key, accounts };
}

export interface FailoverScene extends Scene {
  /** Serves first. */
  readonly first: SceneAccount;
  /** Serves when the first one cannot. */
  readonly spare: SceneAccount;
}

export async function openFailoverScene(
  stage: Stage,
  options: Pick<SceneOptions, "name" | "provider">,
): Promise<FailoverScene> {
  const scene = await openScene(stage, { ...options, accounts: 2, inOrder: true });
  const [first, spare] = scene.accounts;
  if (first === undefined || spare === undefined) throw new Error("a scene of two accounts has fewer");
  return { ...scene, first, spare };
}
