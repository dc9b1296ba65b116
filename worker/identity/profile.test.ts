import { describe, expect, it } from "vitest";
import { personIdSchema } from "../domain/ids.ts";
import { newPersonOf, refreshed, type Profile } from "./profile.ts";

const id = personIdSchema.parse("per_00000009");
const PROFILE: Profile = {
  source: "ldap",
  subject: "ldap ada",
  username: "ada",
  name: "Ada",
  email: "ada@example.org",
  role: { kind: "initial", role: "user" },
};
const person = newPersonOf(PROFILE, { id, now: 1, role: "user" });

describe("refreshed", () => {
  it("takes name and address as they are now, and keeps what is not said", () => {
    expect(refreshed(person, { ...PROFILE, name: "Ada L.", email: "" }, 2)).toEqual({
      ...person,
      name: "Ada L.",
      updatedAt: 2,
      lastLoginAt: 2,
    });
  });

  it("changes nothing but the time of the sign-in where nothing is new", () => {
    expect(refreshed(person, PROFILE, 2)).toEqual({ ...person, lastLoginAt: 2 });
  });

  it("takes a mapped role, and leaves an initial one to owners", () => {
    const promoted = { ...person, role: "admin" as const };
    expect(refreshed(promoted, PROFILE, 2).role).toBe("admin");
    expect(refreshed(promoted, { ...PROFILE, role: { kind: "mapped", role: "user" } }, 2).role).toBe("user");
  });

  it("lets nothing that the other side says rename or enable anybody", () => {
    const off = { ...person, enabled: false };
    expect(refreshed(off, { ...PROFILE, username: "other" }, 2)).toMatchObject({
      username: "ada",
      enabled: false,
    });
  });
});
