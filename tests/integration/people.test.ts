/** Who may sign in, what each role may do, and how long a session lasts. Security cases A4 to A7 and A10. */
import { describe, expect, it } from "vitest";
import type { Person, Role } from "../../worker/domain/person.ts";
import { admin, createKey, env, fetchRelay, unique } from "./setup/relay.ts";

const JSON_TYPE = { "content-type": "application/json" };
const PASSWORD = "a password of this test";

interface SignedIn {
  readonly token: string;
}

const login = (username: string, password: string, address = "192.0.2.1") =>
  fetchRelay("/admin/login", {
    method: "POST",
    headers: { ...JSON_TYPE, "cf-connecting-ip": address },
    body: JSON.stringify({ username, password }),
  });

async function createPerson(role: Role, overrides: Record<string, unknown> = {}): Promise<Person> {
  const username = unique("person").slice(0, 40);
  const response = await admin("POST", "/people", { username, password: PASSWORD, role, ...overrides });
  expect(response.status).toBe(201);
  return response.json<Person>();
}

async function signedIn(person: Person, password = PASSWORD) {
  const response = await login(person.username, password, unique("address"));
  expect(response.status).toBe(200);
  const { token } = await response.json<SignedIn>();
  return (method: string, path: string, body?: unknown) =>
    fetchRelay(`/admin${path}`, {
      method,
      headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
}

describe("people", { timeout: 30_000 }, () => {
  it("are added, listed, changed and removed, and never show a password", async () => {
    const person = await createPerson("viewer", { name: "Ada", email: "ada@example.org" });
    expect(person).toMatchObject({ role: "viewer", name: "Ada", enabled: true, lastLoginAt: null });
    const listed = await (await admin("GET", "/people?limit=200")).json<{ items: Person[] }>();
    expect(listed.items.map(({ id }) => id)).toContain(person.id);
    const changed = await admin("PATCH", `/people/${person.id}`, { role: "admin" });
    expect(await changed.json()).toMatchObject({ role: "admin", name: "Ada" });
    expect((await admin("DELETE", `/people/${person.id}`)).status).toBe(204);
    expect((await admin("GET", `/people/${person.id}`)).status).toBe(404);
    const rows = await env.DB.prepare("SELECT config, password FROM person").all<Record<string, string>>();
    for (const row of [JSON.stringify(listed), ...rows.results.map((each) => JSON.stringify(each))]) {
      expect(row).not.toContain(PASSWORD);
    }
  });

  it.each([
    ["a name that is taken", { username: "admin" }, 409],
    ["a short password", { password: "short" }, 400],
    ["an unknown role", { role: "god" }, 400],
    ["a name with control characters", { username: "a\u0000b" }, 400],
  ])("are refused with %s", async (_, wrong, status) => {
    const input = { username: unique("p").slice(0, 40), password: PASSWORD, role: "user", ...wrong };
    expect((await admin("POST", "/people", input)).status).toBe(status);
  });

  it("have names of their own, whatever the case", async () => {
    const { username } = await createPerson("user");
    const again = { username: username.toUpperCase(), password: PASSWORD };
    expect((await admin("POST", "/people", again)).status).toBe(409);
  });
});

describe("a role", { timeout: 30_000 }, () => {
  it.each([
    ["user", "GET", "/accounts", 403],
    ["user", "GET", "/usage", 403],
    ["viewer", "GET", "/accounts", 200],
    ["viewer", "POST", "/keys", 403],
    ["viewer", "GET", "/people", 403],
    ["admin", "POST", "/keys", 201],
    ["admin", "GET", "/people", 403],
    ["admin", "POST", "/people", 403],
    ["owner", "GET", "/people", 200],
  ] as const)("%s: %s %s is %i", async (role, method, path, status) => {
    const call = await signedIn(await createPerson(role));
    const body = method === "POST" ? { name: unique("key") } : undefined;
    expect((await call(method, path, body)).status).toBe(status);
  });

  it("that was taken away is gone at once, and so is a person who was switched off", async () => {
    const person = await createPerson("admin");
    const call = await signedIn(person);
    expect((await call("GET", "/keys")).status).toBe(200);
    await admin("PATCH", `/people/${person.id}`, { role: "user" });
    expect((await call("GET", "/keys")).status).toBe(401);
    await admin("PATCH", `/people/${person.id}`, { enabled: false });
    expect((await login(person.username, PASSWORD)).status).toBe(401);
  });

  it("cannot be had by deleting oneself last", async () => {
    const owner = await createPerson("owner");
    const call = await signedIn(owner);
    expect((await call("DELETE", `/people/${owner.id}`)).status).toBe(409);
  });
});

describe("a session (A4)", { timeout: 30_000 }, () => {
  it("ends with signing out, whoever still has its token", async () => {
    const call = await signedIn(await createPerson("viewer"));
    expect((await call("GET", "/me")).status).toBe(200);
    expect((await call("POST", "/logout")).status).toBe(200);
    expect((await call("GET", "/me")).status).toBe(401);
  });

  it("ends with a new password", async () => {
    const person = await createPerson("viewer");
    const call = await signedIn(person);
    await admin("PATCH", `/people/${person.id}`, { password: "another password" });
    expect((await call("GET", "/me")).status).toBe(401);
    expect((await login(person.username, PASSWORD)).status).toBe(401);
    await signedIn(person, "another password");
  });

  it("is needed even by a token that was signed well", async () => {
    const person = await createPerson("viewer");
    const call = await signedIn(person);
    await env.DB.prepare("DELETE FROM person_session WHERE person_id = ?").bind(person.id).run();
    expect((await call("GET", "/me")).status).toBe(401);
  });
});

/** Every look at a password costs a tenth of a second of CPU, on purpose. */
describe("guessing a password (A7)", { timeout: 60_000 }, () => {
  it("from one address is slowed down, with the same answer for unknown names", async () => {
    const { username } = await createPerson("viewer");
    const tries = (name: string) => {
      const address = unique("address");
      return Promise.all(Array.from({ length: 8 }, async () => (await login(name, "wrong", address)).status));
    };
    const known = await tries(username);
    expect(known.toSorted()).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
    expect((await tries(unique("nobody").slice(0, 40))).toSorted()).toEqual(known.toSorted());
  });

  it("says how long to wait, and does not look at the password meanwhile", async () => {
    const { username } = await createPerson("viewer");
    const address = unique("address");
    for (let count = 0; count < 6; count++) await login(username, "wrong", address);
    // On a busy machine the looks at those passwords took longer than the wait.
    await env.DB.prepare("UPDATE login_attempt SET at = ?").bind(Date.now()).run();
    const refused = await login(username, PASSWORD, address);
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThanOrEqual(1);
  });

  it("at once, many times, lets no more through than one after the other would", async () => {
    const { username } = await createPerson("viewer");
    const address = unique("address");
    const answers = await Promise.all(
      Array.from({ length: 30 }, async () => (await login(username, "wrong", address)).status),
    );
    expect(answers.filter((status) => status === 401)).toHaveLength(5);
  });

  it("by others keeps nobody out: the owner of the name waits seconds at most", async () => {
    const { username } = await createPerson("viewer");
    const name = `name:${await hashed(`name ${username.toLowerCase()}`)}`;
    await env.DB.prepare("INSERT INTO login_attempt (subject, tries, at) VALUES (?, 1000000, ?)")
      .bind(name, Date.now() - 16_000)
      .run();
    expect((await login(username, PASSWORD, unique("address"))).status).toBe(200);
  });
});

async function hashed(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return [...new Uint8Array(digest, 0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

describe("a key made by an admin", () => {
  it("is there for every other admin", async () => {
    const key = await createKey();
    const call = await signedIn(await createPerson("viewer"));
    expect((await call("GET", `/keys/${key.id}`)).status).toBe(200);
  });
});

describe("changes of one person at the same time", { timeout: 30_000 }, () => {
  it("are all kept: none brings back what another took away", async () => {
    const person = await createPerson("admin");
    const patches = [
      { enabled: false },
      { keysMax: 9 },
      { weeklyCost: 3 },
      { email: "ada@example.org" },
      { dailyCost: 2 },
    ];
    const answers = await Promise.all(patches.map((patch) => admin("PATCH", `/people/${person.id}`, patch)));
    expect(answers.map(({ status }) => status)).toEqual(patches.map(() => 200));
    const kept = await (await admin("GET", `/people/${person.id}`)).json();
    expect(kept).toMatchObject(Object.assign({}, ...patches));
  });
});
