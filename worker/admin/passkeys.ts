/** People's own passkeys: add, list, rename, delete. */
import { Hono, type Context } from "hono";
import { z } from "zod";
import { RelayError } from "../domain/errors.ts";
import { nameSchema } from "../domain/text.ts";
import { addPasskey, passkeysOf, removePasskey, renamePasskey, type Passkey } from "../storage/passkeys.ts";
import { creationOptionsAnswer, passkeyAnswer, passkeysAnswer } from "./people-answers.ts";
import { documented } from "../api-document/route-facts.ts";
import { audited } from "./audited.ts";
import { body, notFound, type AdminEnv } from "./context.ts";
import { assertProof, proofSchema } from "./proof.ts";
import { creationOptions, registrationSchema, verifyRegistration } from "./webauthn.ts";

const PASSKEYS_MAX = 20;

const additionSchema = registrationSchema.extend({ name: nameSchema.default("Passkey") });
/** Who signs in elsewhere has none. */
const additionProofSchema = z.union([proofSchema, z.strictObject({})]);
const renamingSchema = z.object({ name: nameSchema.optional() });

function proofOf(given: z.output<typeof additionProofSchema>): z.output<typeof proofSchema> {
  const proof = proofSchema.safeParse(given);
  if (!proof.success) throw new RelayError("invalid_request", "give one of password and code");
  return proof.data;
}

const view = ({ id, name, createdAt, lastUsedAt }: Passkey) => ({ id, name, createdAt, lastUsedAt });

/** What the audit log says of a passkey. */
const facts = ({ id, name }: Passkey) => ({ passkey: id, name });

async function ownPasskeys(context: Context<AdminEnv>): Promise<Passkey[]> {
  return passkeysOf(context.env.DB, context.get("person").id);
}

async function requiredPasskey(context: Context<AdminEnv>): Promise<Passkey> {
  const passkey = (await ownPasskeys(context)).find(({ id }) => id === context.req.param("id"));
  if (passkey === undefined) throw notFound();
  return passkey;
}

async function assertRoom(context: Context<AdminEnv>): Promise<Passkey[]> {
  const known = await ownPasskeys(context);
  if (known.length >= PASSKEYS_MAX) {
    throw new RelayError("conflict", `You may have ${String(PASSKEYS_MAX)} passkeys. Delete one first.`);
  }
  return known;
}

export const passkeyRoutes = new Hono<AdminEnv>()
  .get("/", documented("Lists one's own passkeys.", { 200: passkeysAnswer }), async (context) =>
    context.json({ items: (await ownPasskeys(context)).map(view) }),
  )
  .post(
    "/options",
    documented(
      "What to ask a browser, to make a passkey. A passkey is a way in, so one's password or a code is asked for.",
      { 200: creationOptionsAnswer },
      ["conflict", "rate_limited"],
    ),
    body(additionProofSchema),
    async (context) => {
      const person = context.get("person");
      // Of others a passkey is a second factor only, and their password is not known here.
      if (person.source === "local") await assertProof(context, proofOf(context.req.valid("json")));
      return context.json(await creationOptions(context, person, await assertRoom(context)));
    },
  )
  .post(
    "/",
    documented("Adds the passkey that a browser made.", { 201: passkeyAnswer }, ["conflict"]),
    body(additionSchema),
    async (context) => {
      await assertRoom(context);
      const { name, ...answer } = context.req.valid("json");
      const made = await verifyRegistration(context, answer);
      const personId = context.get("person").id;
      const passkey = { ...made, personId, name, createdAt: Date.now(), lastUsedAt: null };
      const commit = audited(context, "passkey.create", personId, { after: facts(passkey) });
      if (!(await addPasskey(context.env.DB, passkey, commit))) {
        throw new RelayError("conflict", "This passkey is known already.");
      }
      return context.json(view(passkey), 201);
    },
  )
  .patch(
    "/:id",
    documented("Renames a passkey of one's own.", { 200: passkeyAnswer }),
    body(renamingSchema),
    async (context) => {
      const passkey = await requiredPasskey(context);
      const renamed = { ...passkey, name: context.req.valid("json").name ?? passkey.name };
      const change = { before: facts(passkey), after: facts(renamed) };
      const commit = audited(context, "passkey.update", passkey.personId, change);
      await renamePasskey(context.env.DB, passkey.id, renamed.name, commit);
      return context.json(view(renamed));
    },
  )
  .delete("/:id", documented("Deletes a passkey of one's own.", { 204: null }), async (context) => {
    const passkey = await requiredPasskey(context);
    const commit = audited(context, "passkey.delete", passkey.personId, { before: facts(passkey) });
    await removePasskey(context.env.DB, passkey.id, commit);
    return context.body(null, 204);
  });
