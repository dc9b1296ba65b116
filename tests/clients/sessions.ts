/** Compares how a client's conversations were spread over a scene's accounts with what affinity promises. */
import assert from "node:assert/strict";
import type { LogEntry } from "../upstream/control-types.ts";
import type { Scene, Stage } from "./stage.ts";

/** Two accounts: chance alone would keep all of them whole once in 256 times, with three calls in each. */
export const CONVERSATIONS = 4;

export interface Affinity {
  readonly conversations: number;
  /** null: the call is no part of any conversation. */
  readonly nameOf: (entry: LogEntry) => string | null | undefined;
}

/** Each of the conversations was served by one account. */
export async function assertAffinity(stage: Stage, scene: Scene, expected: Affinity): Promise<void> {
  const served = new Map<string, Set<string>>();
  for (const { credential } of scene.accounts) {
    for (const entry of await stage.upstream.log(credential)) {
      const name = expected.nameOf(entry);
      if (name === null) continue;
      const accounts = served.get(name ?? "(no name)") ?? new Set();
      served.set(name ?? "(no name)", accounts.add(credential));
    }
  }
  assert.equal(served.size, expected.conversations, "conversations that the upstream saw");
  const moved = [...served].filter(([, accounts]) => accounts.size !== 1);
  assert.deepEqual(moved, [], "conversations that were served by several accounts");
}
