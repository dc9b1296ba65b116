/** People's own account: who they are, their sessions, and their second factors. */
import { Hono, type Context } from "hono";
import { z } from "zod";
import { RelayError } from "../domain/errors.ts";
import { recoveryCode, recoveryCodeSchema, RECOVERY_CODES, totpCodeSchema } from "../domain/second-factor.ts";
import { closeSession, sessionsOf } from "../storage/people.ts";
import { parseKeyring } from "../storage/seal.ts";
import { confirmTotp, findTotp, removeTotp, saveSeed, seedOwner } from "../storage/second-factors.ts";
import { meAnswer, recoveryCodesAnswer, seedAnswer, sessionsAnswer } from "./people-answers.ts";
import { documented } from "../api-document/route-facts.ts";
import { audited } from "./audited.ts";
import { body, notFound, type AdminEnv } from "./context.ts";
import { changeMe, meOf, ownPatchSchema } from "./own-account.ts";
import { passkeyRoutes } from "./passkeys.ts";
import { assertProof, proofSchema, wrongCode } from "./proof.ts";
import { countProof, isCode, recoveryHash } from "./second-step.ts";
import { requireSession } from "./session.ts";
import { newSeed, seedUri } from "./totp.ts";

const confirmationSchema = z.object({ code: totpCodeSchema });
const RECOVERY_BYTES = 16;

const newCodes = (): string[] =>
  Array.from({ length: RECOVERY_CODES }, () =>
    recoveryCode(crypto.getRandomValues(new Uint8Array(RECOVERY_BYTES))),
  );

async function confirmSeed(context: Context<AdminEnv>, code: string): Promise<string[]> {
  const { env } = context;
  const { id } = context.get("person");
  const totp = await findTotp(env.DB, id);
  if (totp === null || totp.confirmedAt !== null) {
    throw new RelayError("conflict", "There is nothing to confirm. Begin with POST /admin/me/totp.");
  }
  await countProof(env, id, Date.now());
  if (!(await isCode(env, id, totp, { code, now: Date.now() }))) throw wrongCode();
  const codes = newCodes();
  const hashes = await Promise.all(codes.map((each) => recoveryHash(id, recoveryCodeSchema.parse(each))));
  await confirmTotp(env.DB, { id, hashes, now: Date.now() }, audited(context, "totp.enable", id));
  return codes;
}

const totpRoutes = new Hono<AdminEnv>()
  .post(
    "/",
    documented("Makes a secret for one's authenticator app; it is shown this once.", { 200: seedAnswer }, [
      "conflict",
    ]),
    async (context) => {
      const { env } = context;
      const { id, username } = context.get("person");
      const secret = await newSeed();
      const sealed = await (await parseKeyring(env.ENCRYPTION_KEYS)).seal(secret, seedOwner(id));
      if (!(await saveSeed(env.DB, id, sealed))) {
        throw new RelayError("conflict", "An app is in use. Remove it first: DELETE /admin/me/totp.");
      }
      context.header("cache-control", "no-store");
      return context.json({ secret, uri: await seedUri(secret, username) });
    },
  )
  .post(
    "/confirm",
    documented(
      "Has one's app asked for from now on. The recovery codes are shown this once.",
      { 200: recoveryCodesAnswer },
      ["conflict", "rate_limited"],
    ),
    body(confirmationSchema),
    async (context) => {
      const recoveryCodes = await confirmSeed(context, context.req.valid("json").code);
      context.header("cache-control", "no-store");
      return context.json({ recoveryCodes });
    },
  )
  .delete(
    "/",
    documented("Has one's app no longer asked for. Its recovery codes go with it.", { 204: null }, [
      "not_found",
      "rate_limited",
    ]),
    body(proofSchema),
    async (context) => {
      const { id } = context.get("person");
      await assertProof(context, context.req.valid("json"));
      await removeTotp(context.env.DB, id, audited(context, "totp.disable", id));
      return context.body(null, 204);
    },
  );

export const meRoutes = new Hono<AdminEnv>()
  .use(requireSession)
  .get("/", documented("Who is signed in.", { 200: meAnswer }), async (context) =>
    context.json(await meOf(context, context.get("person"))),
  )
  .patch(
    "/",
    documented(
      "Changes one's own name, address or password; a new password ends all other sessions.",
      {
        200: meAnswer,
      },
      ["rate_limited"],
    ),
    body(ownPatchSchema),
    async (context) => context.json(await changeMe(context, context.req.valid("json"))),
  )
  .get("/sessions", documented("Lists one's own sessions.", { 200: sessionsAnswer }), async (context) => {
    const sessions = await sessionsOf(context.env.DB, context.get("person").id, Date.now());
    const items = sessions.map(({ personId: _, ...session }) => ({
      ...session,
      isCurrent: session.id === context.get("session"),
    }));
    return context.json({ items });
  })
  .delete("/sessions/:id", documented("Ends one of one's own sessions.", { 204: null }), async (context) => {
    const { id } = context.get("person");
    const sessions = await sessionsOf(context.env.DB, id, Date.now());
    const session = sessions.find((each) => each.id === context.req.param("id"));
    if (session === undefined) throw notFound();
    await closeSession(context.env.DB, session.id, audited(context, "session.close", id));
    return context.body(null, 204);
  })
  .route("/totp", totpRoutes)
  .route("/passkeys", passkeyRoutes);
