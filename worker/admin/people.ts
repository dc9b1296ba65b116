/** People: who may sign in, and what they may do. Only owners change them. */
import { Hono, type Context } from "hono";
import { MASKED } from "../domain/audit.ts";
import { RelayError } from "../domain/errors.ts";
import { newPersonId, personIdSchema } from "../domain/ids.ts";
import { firstOwner, personInputSchema, personPatchSchema, type Person } from "../domain/person.ts";
import {
  addPerson,
  closeSessionsOf,
  deletePerson,
  findPerson,
  listPeople,
  savePerson,
  type StoredPerson,
} from "../storage/people.ts";
import { pageOf, personAnswer, spendingAnswer } from "./answers.ts";
import { documented } from "./api-document/route-facts.ts";
import { audited } from "./audited.ts";
import { body, idParam, notFound, offsetOf, pageSchema, query, type AdminEnv } from "./context.ts";
import { hashPassword } from "./password.ts";
import { spendingOf, withPurse } from "./purse.ts";

async function required(context: Context<AdminEnv>): Promise<StoredPerson> {
  const found = await findPerson(context.env.DB, idParam(personIdSchema, context.req.param("id") ?? ""));
  if (found === null) throw notFound();
  return found;
}

const taken = () => new RelayError("conflict", "username: is taken");

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
      const now = Date.now();
      if (fields.username.toLowerCase() === firstOwner(context.env.ADMIN_USERNAME).username.toLowerCase()) {
        throw taken();
      }
      const person: Person = {
        ...fields,
        id: newPersonId(now, crypto.getRandomValues(new Uint8Array(16))),
        source: "local",
        createdAt: now,
        updatedAt: now,
        lastLoginAt: null,
      };
      const stored = { person, password: await hashPassword(password) };
      const commit = audited(context, "person.create", person.id, { after: person });
      await withPurse(context, { before: null, after: person }, async () => {
        if (!(await addPerson(context.env.DB, stored, commit))) throw taken();
      });
      return context.json(person, 201);
    },
  )
  .get("/:id", documented("Shows a person.", { 200: personAnswer }), async (context) =>
    context.json((await required(context)).person),
  )
  .patch(
    "/:id",
    documented("Changes a person; what is left out stays as it is.", { 200: personAnswer }),
    body(personPatchSchema),
    async (context) => {
      const before = await required(context);
      const { password, ...fields } = context.req.valid("json");
      if (password !== undefined && before.person.source !== "local") {
        throw new RelayError("invalid_request", "password: is kept where this person signs in, not here");
      }
      const given = Object.entries(fields).filter(([, value]) => value !== undefined);
      const person: Person = {
        ...before.person,
        ...(Object.fromEntries(given) as Partial<Person>),
        updatedAt: Date.now(),
      };
      const hash = password === undefined ? before.password : await hashPassword(password);
      const after = { ...person, ...(password === undefined ? {} : { password: MASKED }) };
      const commit = audited(context, "person.update", person.id, { before: before.person, after });
      await withPurse(context, { before: before.person, after: person }, () =>
        savePerson(context.env.DB, { person, password: hash }, commit),
      );
      // Whoever knew the old password, or had more rights, must not go on with them.
      const losesTrust = password !== undefined || !person.enabled || person.role !== before.person.role;
      if (losesTrust) await closeSessionsOf(context.env.DB, person.id);
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
    "/:id",
    documented("Deletes a person and their sessions.", { 204: null }, ["conflict"]),
    async (context) => {
      const { person } = await required(context);
      if (person.id === context.get("person").id) {
        throw new RelayError("conflict", "You cannot delete yourself. Ask another owner.");
      }
      const commit = audited(context, "person.delete", person.id, { before: person });
      await deletePerson(context.env.DB, person.id, commit);
      return context.body(null, 204);
    },
  );
