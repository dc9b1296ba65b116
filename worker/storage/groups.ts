/** Groups in D1. Membership is the accounts' own: a group without an entry here is a name with the default policy. */
import { z } from "zod";
import { groupSchema, type Group } from "../domain/group.ts";
import { alone, type Commit } from "./commit.ts";
import { NEXT_VERSION } from "./directory-version.ts";

const rowSchema = z.object({ config: z.string() });
export const parseGroup = (row: unknown): Group => groupSchema.parse(JSON.parse(rowSchema.parse(row).config));

/** One deployment has few of them. */
export const SELECT_GROUPS = "SELECT config FROM account_group ORDER BY name";

export async function listGroups(db: D1Database): Promise<Group[]> {
  const { results } = await db.prepare(SELECT_GROUPS).all();
  return results.map(parseGroup);
}

/** Stores a group, new or changed; the directory's version moves in the same transaction. */
export async function saveGroup(db: D1Database, group: Group, commit: Commit = alone(db)): Promise<void> {
  await commit([
    db
      .prepare(
        `INSERT INTO account_group (name, config) VALUES (?1, ?2)
         ON CONFLICT DO UPDATE SET config = excluded.config`,
      )
      .bind(group.name, JSON.stringify(group)),
    db.prepare(NEXT_VERSION),
  ]);
}

export async function deleteGroup(db: D1Database, name: string, commit: Commit = alone(db)): Promise<void> {
  await commit([db.prepare("DELETE FROM account_group WHERE name = ?").bind(name), db.prepare(NEXT_VERSION)]);
}
