/** An account's balance: the last that is known, kept in the object, and a fresh one when somebody asks for it. */
import { balanceSchema, type Balance, type BalanceAnswer } from "../../worker/domain/balance.ts";
import { quoted } from "../../worker/domain/notice.ts";
import { maskSecrets } from "../../worker/domain/secrets.ts";
import type { Dial } from "../../worker/net/dial.ts";
import { assertAllowedTarget } from "../../worker/net/guard.ts";
import { textAtMost } from "../../worker/net/text-at-most.ts";
import type { BalanceCall } from "../../worker/providers/provider.ts";
import { z } from "zod";
import type { AccountSecrets } from "./secrets.ts";

const ROW = "balance";
const rowSchema = z.object({ balance: balanceSchema, at: z.number() });
const TIMEOUT_MS = 15_000;
const ANSWER_BYTES_MAX = 64_000;

type Known = z.infer<typeof rowSchema> | null;

const knownIn = (storage: SyncKvStorage): Known => rowSchema.safeParse(storage.get(ROW)).data ?? null;

const answerOf = (known: Known, error: string | null): BalanceAnswer => ({
  supported: true,
  balance: known?.balance ?? null,
  at: known?.at ?? null,
  error,
});

interface Way {
  readonly dial: Dial;
  readonly allowPrivate: boolean;
  /** What must not be in anything that is shown. */
  readonly credential: unknown;
}

/** @param isFresh asks the upstream; otherwise the last that is known */
export async function balanceOf(
  { keeper, provider, way }: AccountSecrets,
  baseUrl: string | null,
  storage: SyncKvStorage,
  isFresh: boolean,
): Promise<BalanceAnswer> {
  const callWith = (credential: unknown) => provider?.balance?.(credential, baseUrl) ?? null;
  if (keeper === null || callWith(keeper.credential) === null) return { supported: false };
  if (!isFresh) return answerOf(knownIn(storage), null);
  const usable = await keeper.fresh();
  if (usable.kind !== "usable") return answerOf(knownIn(storage), usable.message);
  const { credential } = usable;
  const call = callWith(credential);
  if (call === null) return { supported: false };
  const answer = await ask(call, { ...way, credential });
  if (typeof answer === "string") return answerOf(knownIn(storage), answer);
  const known = { balance: answer, at: Date.now() };
  storage.put(ROW, known);
  return answerOf(known, null);
}

/** @returns what is wrong, where it could not be had */
async function ask(call: BalanceCall, { dial, allowPrivate, credential }: Way): Promise<Balance | string> {
  const shown = (text: string) => quoted(maskSecrets(text, credential));
  try {
    assertAllowedTarget(call.url, allowPrivate);
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const init = { method: "GET", headers: call.headers, redirect: "manual", signal } as const;
    const answer = await dial(call.url, init);
    const text = await textAtMost(answer, ANSWER_BYTES_MAX);
    if (!answer.ok) return shown(`The upstream answered HTTP ${String(answer.status)}: ${text}`);
    return call.parse(text) ?? "The upstream's answer could not be understood.";
  } catch (error) {
    return shown(error instanceof Error ? error.message : "The upstream could not be reached.");
  }
}
