/** Signing in in two steps: with codes of an app, and with those written down. Security cases A4, A5 and A7. */
import { beforeAll, describe, expect, it } from "vitest";
import type { AuditEntry } from "../../worker/domain/audit.ts";
import { createPerson, login, PASSWORD, signedIn } from "./setup/people.ts";
import { admin, env, fetchRelay } from "./setup/relay.ts";
import {
  codeAt,
  freshCode,
  me,
  secondStep,
  ticketOf,
  withApp,
  wrongCode,
  type FactorAsked,
  type WithApp,
} from "./setup/second-factors.ts";

let ada: WithApp;

beforeAll(async () => {
  ada = await withApp();
}, 120_000);

const statuses = (answers: readonly Response[]) => answers.map(({ status }) => status).toSorted();
const forgetTries = () => env.DB.prepare("DELETE FROM login_attempt").run();

describe("a person with an app", { timeout: 120_000 }, () => {
  it("is asked for a code, and has no session before it", async () => {
    const first = await login(ada.person.username, PASSWORD);
    expect(first.status).toBe(200);
    expect(first.headers.get("set-cookie")).toBeNull();
    const answer = await first.json<FactorAsked>();
    expect(answer).toMatchObject({ factor: { kinds: ["totp", "recovery"], passkey: null } });
    expect(answer).not.toHaveProperty("token");
    const { ticket, expiresAt } = answer.factor;
    expect(expiresAt - Date.now()).toBeLessThanOrEqual(5 * 60_000);
    expect((await me(ticket)).status).toBe(401);
    expect((await secondStep(ticket, { code: wrongCode(ada.secret) })).status).toBe(401);
    const second = await secondStep(ticket, { code: await freshCode(ada) });
    expect(second.status).toBe(200);
    expect(second.headers.get("set-cookie")).toMatch(/HttpOnly/i);
    const { token } = await second.json<{ token: string }>();
    expect(await (await me(token)).json()).toMatchObject({ secondFactors: ["totp", "recovery"] });
    // The ticket was good once.
    expect((await secondStep(ticket, { code: await freshCode(ada) })).status).toBe(401);
  });

  it("A4 cannot use a code twice, nor an earlier one after it, nor one in two places at once", async () => {
    const tickets = await Promise.all([1, 2, 3].map(() => ticketOf(ada.person)));
    const [first = "", second = "", third = ""] = tickets;
    const code = await freshCode(ada);
    const both = await Promise.all([secondStep(first, { code }), secondStep(second, { code })]);
    expect(statuses(both)).toEqual([200, 401]);
    expect((await secondStep(third, { code })).status).toBe(401);
    const earlier = codeAt(ada.secret, Date.now() - 30_000);
    expect((await secondStep(third, { code: earlier })).status).toBe(401);
    await forgetTries();
  });

  it("has recovery codes, each good once, at once or one after the other", async () => {
    const { person, recoveryCodes } = ada;
    expect(new Set(recoveryCodes).size).toBe(10);
    const [first = "", second = ""] = [await ticketOf(person), await ticketOf(person)];
    const recovery = recoveryCodes[0]?.toUpperCase().replaceAll("-", " ");
    const both = await Promise.all([secondStep(first, { recovery }), secondStep(second, { recovery })]);
    expect(statuses(both)).toEqual([200, 401]);
    const left = await env.DB.prepare("SELECT count(*) AS n FROM person_recovery_code WHERE person_id = ?")
      .bind(person.id)
      .first<{ n: number }>();
    expect(left?.n).toBe(9);
    await forgetTries();
  });

  it("A7 has five tries a ticket, whatever the sixth is", async () => {
    const ticket = await ticketOf(ada.person);
    const code = wrongCode(ada.secret);
    const answers = await Promise.all(Array.from({ length: 5 }, () => secondStep(ticket, { code })));
    expect(statuses(answers)).toEqual([401, 401, 401, 401, 401]);
    expect((await secondStep(ticket, { code: await freshCode(ada) })).status).toBe(401);
    const audit = await admin("GET", `/audit?action=session.refuse&target=${ada.person.id}`);
    expect((await audit.json<{ total: number }>()).total).toBeGreaterThanOrEqual(5);
    await forgetTries();
  });

  it("A7 is slowed down over all tickets together", async () => {
    await env.DB.prepare("INSERT INTO login_attempt (subject, tries, at) VALUES (?, 30, ?)")
      .bind(`factor:${ada.person.id}`, Date.now())
      .run();
    const ticket = await ticketOf(ada.person);
    const refused = await secondStep(ticket, { code: await freshCode(ada) });
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(60);
    await forgetTries();
  });

  it.each([
    ["is over", "UPDATE sign_in_ticket SET expires_at = 1 WHERE person_id = ?"],
    [
      "is of somebody who is switched off",
      "UPDATE person SET config = json_set(config, '$.enabled', json('false')) WHERE id = ?",
    ],
  ])("A5 gets nowhere with a ticket that %s", async (_, statement) => {
    const ticket = await ticketOf(ada.person);
    await env.DB.prepare(statement).bind(ada.person.id).run();
    expect((await secondStep(ticket, { code: await freshCode(ada) })).status).toBe(401);
    await env.DB.prepare(
      "UPDATE person SET config = json_set(config, '$.enabled', json('true')) WHERE id = ?",
    )
      .bind(ada.person.id)
      .run();
  });

  it.each([
    {},
    { code: "123456", recovery: "0000-0000-0000-0000" },
    { code: "12345" },
    { recovery: "short" },
  ])("must send one proof, not %j", async (proof) => {
    expect((await secondStep("0".repeat(64), proof)).status).toBe(400);
  });

  it("leaves neither seed nor codes in D1 or in the audit log", async () => {
    const rows = await Promise.all(
      ["person_totp", "person_recovery_code", "sign_in_ticket", "audit_entry"].map((table) =>
        env.DB.prepare(`SELECT * FROM ${table}`).all(),
      ),
    );
    const text = JSON.stringify(rows).toLowerCase();
    const secrets = [
      ada.secret,
      ...ada.recoveryCodes,
      ...ada.recoveryCodes.map((code) => code.replaceAll("-", "")),
    ];
    for (const secret of secrets) expect(text).not.toContain(secret.toLowerCase());
  });
});

describe("an app", { timeout: 120_000 }, () => {
  it("is asked for only once it has shown a code, and is removed only by whoever has it or the password", async () => {
    const { person, as, secret } = await withApp();
    expect((await as("POST", "/me/totp")).status).toBe(409);
    expect((await as("POST", "/me/totp/confirm", { code: "123456" })).status).toBe(409);
    for (const proof of [{}, { password: "wrong" }, { code: wrongCode(secret) }]) {
      expect((await as("DELETE", "/me/totp", proof)).status).toBe(400);
    }
    const code = await freshCode({ person, secret });
    expect((await as("DELETE", "/me/totp", { code })).status).toBe(204);
    expect(await (await as("GET", "/me")).json()).toMatchObject({ secondFactors: [] });
    expect(await (await login(person.username, PASSWORD)).json()).toHaveProperty("token");
    const begun = await (await as("POST", "/me/totp")).json<{ secret: string; uri: string }>();
    expect(begun.uri).toContain(`secret=${begun.secret}`);
    expect((await as("POST", "/me/totp/confirm", { code: wrongCode(begun.secret) })).status).toBe(400);
    expect(await (await login(person.username, PASSWORD)).json()).toHaveProperty("token");
  });

  it("that was lost is taken away by an owner, and by nobody less", async () => {
    const { person } = await withApp();
    const path = `/people/${person.id}/second-factor`;
    expect((await ada.as("DELETE", path)).status).toBe(403);
    const ticket = await ticketOf(person);
    expect((await admin("DELETE", path)).status).toBe(204);
    expect((await secondStep(ticket, { recovery: "0000-0000-0000-0000" })).status).toBe(401);
    expect(await (await login(person.username, PASSWORD)).json()).toHaveProperty("token");
    const audit = await admin("GET", `/audit?action=person.reset&target=${person.id}`);
    const { items } = await audit.json<{ items: AuditEntry[] }>();
    expect(items).toMatchObject([{ before: { secondFactors: ["totp", "recovery"] } }]);
  });

  it("is asked for at /users, too, and of the first owner, who is in no table", async () => {
    const users = await fetchRelay("/users/login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ username: ada.person.username, password: PASSWORD }),
    });
    expect(await users.json()).toMatchObject({ success: true, factor: { kinds: ["totp", "recovery"] } });
    const { secret } = await (await admin("POST", "/me/totp")).json<{ secret: string }>();
    await admin("POST", "/me/totp/confirm", { code: codeAt(secret, Date.now()) });
    const owner = { id: "per_00000000" } as WithApp["person"];
    const first = await login("admin", "password-of-the-integration-tests");
    const { ticket } = (await first.json<FactorAsked>()).factor;
    expect((await secondStep(ticket, { code: await freshCode({ person: owner, secret }) })).status).toBe(200);
    const password = "password-of-the-integration-tests";
    expect((await admin("DELETE", "/me/totp", { password })).status).toBe(204);
  });
});

describe("where everybody must have a second factor", { timeout: 120_000 }, () => {
  it("whoever has none can set one up, and do nothing else until then", async () => {
    const owner = await withApp("owner");
    const bare = await signedIn(await createPerson("admin"));
    const required = (value: boolean | null) =>
      owner.as("PATCH", "/settings", { requireSecondFactor: value });
    // Not by somebody who would be shut out.
    expect((await bare("PATCH", "/settings", { requireSecondFactor: true })).status).toBe(409);
    expect((await required(true)).status).toBe(200);
    try {
      const refused = await bare("GET", "/keys");
      expect(refused.status).toBe(403);
      expect(await refused.text()).toContain("/admin/me/totp");
      expect((await bare("GET", "/me")).status).toBe(200);
      const { secret } = await (await bare("POST", "/me/totp")).json<{ secret: string }>();
      expect((await bare("GET", "/keys")).status).toBe(403);
      const code = codeAt(secret, Date.now());
      expect((await bare("POST", "/me/totp/confirm", { code })).status).toBe(200);
      expect((await bare("GET", "/keys")).status).toBe(200);
    } finally {
      expect((await required(null)).status).toBe(200);
    }
  });
});
