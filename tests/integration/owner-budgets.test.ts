/** What all keys of a person may cost together, beside the limits that each has of its own. */
import { describe, expect, it } from "vitest";
import type { KeyStatus, LimitStatus } from "../../worker/domain/key.ts";
import type { Person } from "../../worker/domain/person.ts";
import { purseOf } from "../../worker/domain/purse.ts";
import {
  admin,
  call,
  createAccount,
  createKey,
  env,
  eventually,
  unique,
  usageOf,
  type TestKey,
} from "./setup/relay.ts";
import { costsEach, nano, refusalOf, settledStatus } from "./setup/limits.ts";
import { createPerson } from "./setup/people.ts";

const purseStatus = (person: Person) =>
  eventually(
    () =>
      (
        env.KEYS.get(env.KEYS.idFromName(purseOf(person.id))) as unknown as { status(): Promise<KeyStatus> }
      ).status(),
    ({ activePermits }) => activePermits === 0,
  );

async function spendingOf({ id }: Person): Promise<readonly LimitStatus[]> {
  const response = await admin("GET", `/people/${id}/spending`);
  return (await response.json<{ items: LimitStatus[] }>()).items;
}

/** A person with two keys whose requests cost a dollar and a half each. */
async function createOwner(limits: Record<string, unknown>, ofKeys: Record<string, unknown> = {}) {
  const person = await createPerson("user");
  const changed = await admin("PATCH", `/people/${person.id}`, limits);
  expect(changed.status).toBe(200);
  const group = unique("group");
  const account = await createAccount({ groups: [group] });
  await costsEach(account, 1.5);
  const options = { ownerId: person.id, binding: { kind: "group", group }, ...ofKeys };
  const [one, other] = [await createKey(options), await createKey(options)];
  const stranger = await createKey({ binding: { kind: "group", group } });
  return { person, account, one, other, stranger };
}

async function spend(key: TestKey, person: Person): Promise<number> {
  const { status } = await call(key);
  await settledStatus(key);
  await purseStatus(person);
  return status;
}

describe("a person's budget", { timeout: 30_000 }, () => {
  it("is one for all their keys, and nobody else's", async () => {
    const { person, one, other, stranger } = await createOwner({ dailyCost: 3 });
    expect([await spend(one, person), await spend(other, person)]).toEqual([200, 200]);
    for (const key of [one, other]) {
      const refusal = await refusalOf(await call(key));
      expect(refusal).toMatchObject({ status: 402, type: "billing_error", code: "owner_daily_cost" });
    }
    expect(await spend(stranger, person)).toBe(200);
    expect(await spendingOf(person)).toMatchObject([
      { id: "daily_cost", limit: nano(3), used: nano(3), reserved: 0 },
    ]);
  });

  it("refuses without a trace at the key: no permit, no request counted, nothing booked", async () => {
    const { person, one, other } = await createOwner(
      { totalCost: 1.5 },
      { windowMinutes: 60, windowRequests: 2 },
    );
    expect(await spend(one, person)).toBe(200);
    for (let round = 0; round < 3; round++) {
      expect((await refusalOf(await call(other))).code).toBe("owner_total_cost");
      await settledStatus(other);
    }
    const status = await eventually(
      () => settledStatus(other),
      ({ limits }) => limits[0]?.used === 0,
    );
    expect(status).toMatchObject({ activePermits: 0, totalRequests: 0 });
    await admin("PATCH", `/people/${person.id}`, { totalCost: 0 });
    expect([await spend(other, person), await spend(other, person)]).toEqual([200, 200]);
    expect((await usageOf(other, 2)).length).toBe(2);
    expect((await usageOf(one)).length).toBe(1);
  });

  it("holds nothing back for what the key itself refuses", async () => {
    const { person, one } = await createOwner({ dailyCost: 100 }, { totalCost: 1.5 });
    expect(await spend(one, person)).toBe(200);
    for (let round = 0; round < 5; round++)
      expect((await refusalOf(await call(one))).code).toBe("total_cost");
    await purseStatus(person);
    expect(await spendingOf(person)).toMatchObject([{ used: nano(1.5), reserved: 0 }]);
  });

  it("a change of it holds from the next request on", async () => {
    const { person, one } = await createOwner({ weeklyCost: 1.5 });
    expect(await spend(one, person)).toBe(200);
    expect((await refusalOf(await call(one))).code).toBe("owner_weekly_cost");
    await admin("PATCH", `/people/${person.id}`, { weeklyCost: 3 });
    expect(await spend(one, person)).toBe(200);
    expect((await refusalOf(await call(one))).code).toBe("owner_weekly_cost");
    await admin("PATCH", `/people/${person.id}`, { weeklyCost: 0 });
    expect(await spend(one, person)).toBe(200);
  });

  it("B2: is not overspent by simultaneous requests of several keys", async () => {
    const { person, account, one, other } = await createOwner({ dailyCost: 3 });
    // A little less than what is held back for a request of thirty thousand tokens.
    await costsEach(account, 0.435);
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, number) =>
        call(number % 2 === 0 ? one : other, { body: { max_tokens: 30_000 } }),
      ),
    );
    const served = answers.filter(({ status }) => status === 200).length;
    expect(served).toBeGreaterThan(0);
    await Promise.all([settledStatus(one), settledStatus(other)]);
    const { limits, totalCost } = await purseStatus(person);
    expect(limits).toMatchObject([{ id: "daily_cost", used: served * nano(0.435), reserved: 0 }]);
    expect(totalCost).toBeLessThanOrEqual(nano(3));
  });

  it("needs no object and no further question where nobody set one", async () => {
    const { person, one } = await createOwner({});
    expect((await call(one)).status).toBe(200);
    await settledStatus(one);
    expect(await spendingOf(person)).toEqual([]);
  });
});
