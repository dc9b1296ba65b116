import { describe, expect, it } from "vitest";
import { factsOf, namesOfGroup, type Entry } from "./entry.ts";

const ATTRIBUTES = { username: "uid", name: "displayName", email: "mail" };
const entryOf = (values: Readonly<Record<string, readonly string[]>>): Entry => ({
  dn: "uid=ada,dc=example",
  values: new Map(Object.entries(values)),
});

describe("factsOf", () => {
  it("takes the first value that will do, whatever the attribute's case", () => {
    const entry = entryOf({
      uid: ["a b", "ada"],
      displayname: ["", "Ada\nLovelace", "Ada"],
      mail: ["nonsense", "ada@example.org"],
    });
    expect(factsOf(entry, ATTRIBUTES)).toEqual({ username: "ada", name: "Ada", email: "ada@example.org" });
  });

  it("does without a name and an address, but not without a user name", () => {
    expect(factsOf(entryOf({ uid: ["ada"] }), ATTRIBUTES)).toEqual({ username: "ada", name: "", email: "" });
    expect(factsOf(entryOf({ displayname: ["Ada"] }), ATTRIBUTES)).toBeNull();
    expect(factsOf(entryOf({ uid: ["a", "ad\0a", "-ada", "ädä"] }), ATTRIBUTES)).toBeNull();
  });
});

describe("namesOfGroup", () => {
  it.each([
    ["cn=Admins,ou=groups,dc=example", ["cn=Admins,ou=groups,dc=example", "Admins"]],
    ["CN=Admins", ["CN=Admins", "Admins"]],
    // What is quoted or escaped has no name of its own here: it must not be taken for another's.
    ["cn=x\\,cn=admins,dc=example", ["cn=x\\,cn=admins,dc=example"]],
    ['cn="admins",dc=example', ['cn="admins",dc=example']],
    ["cn=admins+ou=x,dc=example", ["cn=admins+ou=x,dc=example"]],
    ["admins", ["admins"]],
  ])("%s", (dn, names) => {
    expect(namesOfGroup(dn)).toEqual(names);
  });
});
