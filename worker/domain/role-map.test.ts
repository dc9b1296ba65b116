import { describe, expect, it } from "vitest";
import { grantedRole, parseRoleMap, roleOf } from "./role-map.ts";

const LDAP = /[;\n]/;
const map = parseRoleMap("staff = user; cn=Admins,ou=groups,dc=example=admin;bosses=owner", LDAP);

describe("parseRoleMap", () => {
  it("takes the role behind the last equals sign, since groups may be DNs", () => {
    expect([...map]).toEqual([
      ["staff", "user"],
      ["cn=admins,ou=groups,dc=example", "admin"],
      ["bosses", "owner"],
    ]);
  });

  it.each(["", ";", "staff", "staff=", "=admin", "staff=god", "staff=Admin"])("refuses %j", (text) => {
    expect(() => parseRoleMap(text, LDAP)).toThrow(/group=role/);
  });

  it("refuses more than anybody can look through", () => {
    expect(() => parseRoleMap("a=user;".repeat(201), LDAP)).toThrow("1 to 200");
  });
});

describe("roleOf", () => {
  it.each([
    [["staff"], "user"],
    [["STAFF", "Bosses", "staff"], "owner"],
    [["CN=admins,OU=Groups,DC=example", "staff"], "admin"],
    [["admins", "staff,bosses", "bosses "], "owner"],
    [["admins"], null],
    [[], null],
  ])("of %j is %s", (groups, role) => {
    expect(roleOf(groups, map)).toBe(role);
  });
});

describe("grantedRole", () => {
  it("lets a mapping decide every time, and a default without one only at first", () => {
    expect(grantedRole(["staff"], map, "viewer")).toEqual({ kind: "mapped", role: "user" });
    expect(grantedRole(["x"], map, "viewer")).toEqual({ kind: "mapped", role: "viewer" });
    expect(grantedRole(["staff"], null, "viewer")).toEqual({ kind: "initial", role: "viewer" });
    expect(grantedRole(["x"], map, "none")).toEqual({ kind: "none" });
    expect(grantedRole(["staff"], null, "none")).toEqual({ kind: "none" });
  });
});
