/** That whoever has the session is its person still: asked for before it is changed how they sign in. */
import type { Context } from "hono";
import { z } from "zod";
import { RelayError } from "../domain/errors.ts";
import { totpCodeSchema } from "../domain/second-factor.ts";
import { findTotp } from "../storage/second-factors.ts";
import { notFound, type AdminEnv } from "./context.ts";
import { isOwnPassword } from "./own-account.ts";
import { countProof, isCode } from "./second-step.ts";

export const proofSchema = z
  .object({ password: z.string().max(1000).optional(), code: totpCodeSchema.optional() })
  .refine(
    ({ password, code }) => (password === undefined) !== (code === undefined),
    "give one of password and code",
  );

export const wrongCode = () =>
  new RelayError("invalid_request", "code: is wrong, or was used before. Wait for the next.");

/** @throws RelayError `invalid_request`, `rate_limited` */
export async function assertProof(
  context: Context<AdminEnv>,
  proof: z.output<typeof proofSchema>,
): Promise<void> {
  const { env } = context;
  const { id } = context.get("person");
  if (proof.password !== undefined) {
    if (await isOwnPassword(context, id, proof.password)) return;
    throw new RelayError("invalid_request", "password: is wrong");
  }
  const totp = await findTotp(env.DB, id);
  if (totp === null || proof.code === undefined) throw notFound();
  await countProof(env, id, Date.now());
  if (!(await isCode(env, id, totp, { code: proof.code, now: Date.now() }))) throw wrongCode();
}
