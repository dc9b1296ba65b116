/** People: who may sign in, and what they may do. Only owners change them. */
import { Hono, type Context } from "hono";
import { MASKED } from "../domain/audit.ts";
import { RelayError } from "../domain/errors.ts";
import { personIdSchema } from "../domain/ids.ts";
import { personInputSchema, personPatchSchema, type Person, type PersonPatch } from "../domain/person.ts";
import {
  addPerson,
  deletePerson,
  findPerson,
  listPeople,
  isStalePerson,
  savePerson,
  type StoredPerson,
} from "../storage/people.ts";
import { factorsOf, removeFactors } from "../storage/second-factors.ts";
import { pageOf } from "./answers.ts";
import { personAnswer, spendingAnswer } from "./people-answers.ts";
import { documented } from "../api-document/route-facts.ts";
import { audited } from "./audited.ts";
import { body, idParam, notFound, offsetOf, pageSchema, query, type AdminEnv } from "./context.ts";
import { isFirstOwner, nameTaken, newPerson } from "./new-person.ts";
import { tellKeysOf } from "./owner-keys.ts";
import { hashPassword } from "./password.ts";
import { spendingOf, withPurse } from "./purse.ts";

async function required(context: Context<AdminEnv>): Promise<StoredPerson> {
  const found = await findPerson(context.env.DB, idParam(personIdSchema, context.req.param("id") ?? ""));
  if (found === null) throw notFound();
  return found;
}

const TRIES_MAX = 5;

const changedByOthers = () =>
  new RelayError("conflict", "This person is being changed by others. Look again, then try again.");

async function switchOff({ env }: Context<AdminEnv>, before: Person): Promise<void> {
  const person = { ...before, enabled: false, updatedAt: Math.max(Date.now(), before.updatedAt + 1) };
  const change = { person, password: null, basedOn: before.updatedAt, endsSessions: true };
  await savePerson(env.DB, change).catch((error: unknown) => {
    throw isStalePerson(error) ? changedByOthers() : error;
  });
}

/** Changes a person as they are when the change is made, and not as they were when somebody looked. */
async function changePerson(
  context: Context<AdminEnv>,
  { password, ...fields }: PersonPatch,
): Promise<Person> {
  const hash = password === undefined ? null : await hashPassword(password);
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const { person: before } = await required(context);
    if (password !== undefined && before.source !== "local") {
      throw new RelayError("invalid_request", "password: is kept where this person signs in, not here");
    }
    const person: Person = {
      ...before,
      ...(Object.fromEntries(given) as Partial<Person>),
      updatedAt: Math.max(Date.now(), before.updatedAt + 1),
    };
    const after = { ...person, ...(password === undefined ? {} : { password: MASKED }) };
    const commit = audited(context, "person.update", person.id, { before, after });
    const endsSessions = password !== undefined || !person.enabled || person.role !== before.role;
    const change = { person, password: hash, basedOn: before.updatedAt, endsSessions };
    try {
      await withPurse(context, { before, after: person }, () => savePerson(context.env.DB, change, commit));
      return person;
    } catch (error) {
      if (!isStalePerson(error)) throw error;
    }
  }
  throw changedByOthers();
}

export const peopleRoutes = new Hono<AdminEnv>()
  .get(
    "/",
    documented("Lists people, the newest first.", { 200: pageOf(personAnswer) }),
    query(pageSchema),
    async (context) => context.json(await listPeople(context.env.DB, offsetOf(context.req.valid("query")))),
  )
  .post(
    "/",
    documented("Adds a person.", { 201: personAnswer }, ["conflict"]),
    body(personInputSchema),
    async (context) => {
      const { password, ...fields } = context.req.valid("json");
      if (isFirstOwner(context.env, fields.username)) throw nameTaken();
      const person = newPerson(fields, Date.now());
      const stored = { person, password: await hashPassword(password) };
      const commit = audited(context, "person.create", person.id, { after: person });
      await withPurse(context, { before: null, after: person }, async () => {
        if (!(await addPerson(context.env.DB, stored, commit))) throw nameTaken();
      });
      return context.json(person, 201);
    },
  )
  .get("/:id", documented("Shows a person.", { 200: personAnswer }), async (context) =>
    context.json((await required(context)).person),
  )
  .patch(
    "/:id",
    documented("Changes a person; what is left out stays as it is.", { 200: personAnswer }, ["conflict"]),
    body(personPatchSchema),
    async (context) => {
      const patch = context.req.valid("json");
      const person = await changePerson(context, patch);
      if (patch.enabled !== undefined) await tellKeysOf(context, person.id);
      return context.json(person);
    },
  )
  .get(
    "/:id/spending",
    documented("Shows what is used of a person's own limits, by all their keys together.", {
      200: spendingAnswer,
    }),
    async (context) => context.json({ items: await spendingOf(context, (await required(context)).person) }),
  )
  .delete(
    "/:id/second-factor",
    documented("Takes a person's second factors away, so that their password alone will do.", { 204: null }),
    async (context) => {
      const { person } = await required(context);
      const before = { secondFactors: await factorsOf(context.env.DB, person.id) };
      const commit = audited(context, "person.reset", person.id, { before, after: { secondFactors: [] } });
      await removeFactors(context.env.DB, person.id, commit);
      return context.body(null, 204);
    },
  )
  .delete(
    "/:id",
    documented("Deletes a person and their sessions; their keys go to the bin.", { 204: null }, ["conflict"]),
    async (context) => {
      const { person } = await required(context);
      if (person.id === context.get("person").id) {
        throw new RelayError("conflict", "You cannot delete yourself. Ask another owner.");
      }
      // Nothing of theirs may work any more before they are gone: a failure here can be tried again, one later could not.
      await switchOff(context, person);
      await tellKeysOf(context, person.id);
      const commit = audited(context, "person.delete", person.id, { before: person });
      await deletePerson(context.env.DB, { id: person.id, now: Date.now() }, commit);
      await tellKeysOf(context, person.id);
      return context.body(null, 204);
    },
  );
