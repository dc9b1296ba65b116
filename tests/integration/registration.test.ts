/** Who may make themselves a person, and how often they may try. */
import { describe, expect, it } from "vitest";
import type { AuditEntry } from "../../worker/domain/audit.ts";
import { PASSWORD } from "./setup/people.ts";
import { admin, env, fetchRelay, relayWith, unique } from "./setup/relay.ts";

const open = relayWith({ REGISTRATION: "true" });
const withCode = relayWith({ REGISTRATION: "true", REGISTRATION_CODE: "the code of this test" });

const applicant = (overrides: Record<string, unknown> = {}) => ({
  username: unique("new").slice(0, 40),
  email: "new@example.org",
  password: PASSWORD,
  ...overrides,
});

const register = (relay: typeof fetchRelay, body: unknown, address = unique("address")) =>
  relay("/users/register", {
    method: "POST",
    headers: { "content-type": "application/json", "cf-connecting-ip": address },
    body: JSON.stringify(body),
  });

const login = (username: string) =>
  fetchRelay("/users/login", {
    method: "POST",
    headers: { "content-type": "application/json", "cf-connecting-ip": unique("address") },
    body: JSON.stringify({ username, password: PASSWORD }),
  });

describe("registering", { timeout: 120_000 }, () => {
  it("is not for anybody where it is not switched on", async () => {
    const person = applicant();
    expect((await register(fetchRelay, person)).status).toBe(403);
    expect((await login(person.username)).status).toBe(401);
  });

  it("makes a user, whatever else is asked for, and is in the audit log by their own name", async () => {
    const person = applicant({ role: "owner", keysMax: 1000, enabled: true, id: "per_00000000" });
    const response = await register(open, person);
    expect(response.status).toBe(201);
    const { user } = await response.json<{ user: { id: string; role: string } }>();
    expect(user).toMatchObject({ username: person.username, role: "user", email: "new@example.org" });
    const stored = await (await admin("GET", `/people/${user.id}`)).json();
    expect(stored).toMatchObject({ role: "user", keysMax: 5 });
    const audit = await admin("GET", `/audit?action=person.register&target=${user.id}`);
    const { items } = await audit.json<{ items: AuditEntry[] }>();
    expect(items).toMatchObject([{ actor: { id: user.id, name: person.username } }]);
    expect(JSON.stringify(items)).not.toContain(PASSWORD);
    const signedIn = await login(person.username);
    expect(signedIn.headers.get("set-cookie")).toMatch(/HttpOnly.*SameSite=Strict/i);
    expect(signedIn.headers.get("set-cookie")).toContain("Path=/users");
    const { token, sessionToken } = await signedIn.json<{ token: string; sessionToken: string }>();
    expect(sessionToken).toBe(token);
    const asked = await fetchRelay("/admin/keys", { headers: { authorization: `Bearer ${token}` } });
    expect(asked.status).toBe(403);
  });

  it.each([
    ["a short password", { password: "short" }],
    ["no e-mail address", { email: "" }],
    ["a name with a line break", { username: "a\nb" }],
    ["a name that is none", { username: "-" }],
  ])("is refused with %s", async (_, wrong) => {
    expect((await register(open, applicant(wrong))).status).toBe(400);
  });

  it("takes no name that is taken, in whatever case, nor the first owner's", async () => {
    const { username } = applicant();
    expect((await register(open, applicant({ username }))).status).toBe(201);
    expect((await register(open, applicant({ username: username.toUpperCase() }))).status).toBe(409);
    expect((await register(open, applicant({ username: "Admin" }))).status).toBe(409);
  });

  it("may be tried five times an hour from one address, at once or one after the other", async () => {
    const address = unique("address");
    const answers = await Promise.all(
      Array.from({ length: 8 }, () => register(withCode, applicant({ code: "guessed" }), address)),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([403, 403, 403, 403, 403, 429, 429, 429]);
    const refused = answers.find(({ status }) => status === 429);
    expect(Number(refused?.headers.get("retry-after"))).toBeGreaterThan(3000);
    await env.DB.prepare("UPDATE login_attempt SET at = at - 3600000").run();
    const right = applicant({ code: "the code of this test" });
    expect((await register(withCode, right, address)).status).toBe(201);
  });

  it("needs the code where there is one", async () => {
    expect((await register(withCode, applicant())).status).toBe(403);
    expect((await register(withCode, applicant({ code: "the code of this tesT" }))).status).toBe(403);
  });
});
