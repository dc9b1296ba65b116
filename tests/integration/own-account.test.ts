/** What people change of themselves, and the sessions they see. Security cases A4 and A6. */
import { describe, expect, it } from "vitest";
import { createPerson, login, PASSWORD, signedIn } from "./setup/people.ts";
import { admin, unique } from "./setup/relay.ts";

interface Sessions {
  readonly items: readonly { readonly id: string; readonly isCurrent: boolean; readonly address: string }[];
}

describe("one's own account", { timeout: 120_000 }, () => {
  it("has a name and an address that one may change, and nothing more", async () => {
    const as = await signedIn(await createPerson("user"));
    const wish = { name: "Ada", email: "ada@example.org", role: "owner", keysMax: 1000 };
    const changed = await as("PATCH", "/me", wish);
    expect(await changed.json()).toMatchObject({
      name: "Ada",
      email: "ada@example.org",
      role: "user",
      keysMax: 5,
    });
    expect(await (await as("PATCH", "/users/profile", { email: "" })).json()).toMatchObject({
      user: { name: "Ada", email: "" },
    });
    expect((await as("PATCH", "/me", { name: "a\u0000b" })).status).toBe(400);
  });

  it("gets a new password from whoever knows the old one, and that ends all other sessions", async () => {
    const person = await createPerson("user");
    const [here, there] = [await signedIn(person), await signedIn(person)];
    const password = "another password of this test";
    expect((await here("PATCH", "/me", { password })).status).toBe(400);
    expect((await here("PATCH", "/me", { password, currentPassword: "wrong" })).status).toBe(400);
    expect((await there("GET", "/me")).status).toBe(200);
    expect((await here("PATCH", "/me", { password, currentPassword: PASSWORD })).status).toBe(200);
    expect([(await here("GET", "/me")).status, (await there("GET", "/me")).status]).toEqual([200, 401]);
    expect((await login(person.username, PASSWORD)).status).toBe(401);
    expect((await login(person.username, password)).status).toBe(200);
  });

  it("A7 does not let whoever has a session guess the password at leisure", async () => {
    const as = await signedIn(await createPerson("user"));
    const wish = { password: "another password", currentPassword: "guessed" };
    const answers = await Promise.all(Array.from({ length: 14 }, () => as("PATCH", "/me", wish)));
    expect(answers.filter(({ status }) => status === 400)).toHaveLength(10);
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(4);
  });

  it("is the variables' where it is the first owner's", async () => {
    const refused = await admin("PATCH", "/me", { password: "another password", currentPassword: "x" });
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain("ADMIN_PASSWORD");
  });
});

describe("one's own sessions", { timeout: 120_000 }, () => {
  it("are listed, and each may be ended", async () => {
    const person = await createPerson("user");
    const [here, there] = [await signedIn(person), await signedIn(person)];
    const { items } = await (await here("GET", "/me/sessions")).json<Sessions>();
    expect(items).toHaveLength(2);
    expect(items.filter(({ isCurrent }) => isCurrent)).toHaveLength(1);
    expect(items.every(({ address }) => address.startsWith("address"))).toBe(true);
    const other = items.find(({ isCurrent }) => !isCurrent)?.id ?? "";
    expect((await here("DELETE", `/me/sessions/${other}`)).status).toBe(204);
    expect([(await here("GET", "/me")).status, (await there("GET", "/me")).status]).toEqual([200, 401]);
    expect((await here("DELETE", `/me/sessions/${other}`)).status).toBe(404);
  });

  it("A6 are nobody else's to see or to end", async () => {
    const [ada, bob] = [
      await signedIn(await createPerson("user")),
      await signedIn(await createPerson("owner")),
    ];
    const { items } = await (await ada("GET", "/me/sessions")).json<Sessions>();
    const id = items[0]?.id ?? unique("none");
    expect((await bob("DELETE", `/me/sessions/${id}`)).status).toBe(404);
    expect((await ada("GET", "/me")).status).toBe(200);
  });
});
