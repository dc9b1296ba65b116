/** Signing in with the directory's password: a real slapd over TLS. Security cases A7 and A8. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { DirectoryTest } from "../../worker/admin/sign-in-answers.ts";
import type { Person } from "../../worker/domain/person.ts";
import { ldapOf, parseEnv } from "../../worker/env.ts";
import { lookUp } from "../../worker/identity/ldap/ask.ts";
import { GROUPS, PEOPLE, SERVICE } from "../identity/orders.ts";
import {
  addPerson,
  DIRECTORY,
  directory,
  lab,
  meOf,
  newUid,
  relay,
  relayOf,
  signIn,
} from "./setup/directory.ts";
import { createPerson, PASSWORD } from "./setup/people.ts";
import { lab as proxies } from "./setup/proxies.ts";
import { admin, env, fetchRelay, unique } from "./setup/relay.ts";

const personOf = async (id: string): Promise<Person> => (await admin("GET", `/people/${id}`)).json();
const storedNames = async () =>
  (await env.DB.prepare("SELECT username FROM person").all<{ username: string }>()).results.map(
    ({ username }) => username,
  );
const messageOf = async (response: Response) =>
  (await response.json<{ error: { code: string; message: string } }>()).error;

beforeEach(({ skip }) => {
  skip(env.TEST_HAS_DIRECTORY !== "true", "there is no slapd here: apt-get install slapd ldap-utils");
});

describe("somebody of the directory", { timeout: 60_000 }, () => {
  it("signs in with its password, and is then a person here", async () => {
    const entry = await addPerson({ name: "Ada Lovelace", mail: "ada@example.org" });
    const me = await meOf(entry);
    expect(me).toMatchObject({ username: entry.uid, name: "Ada Lovelace", role: "user" });
    expect(await personOf(me.id)).toMatchObject({ source: "ldap", email: "ada@example.org", enabled: true });
    expect((await meOf(entry)).id).toBe(me.id);
    const rows = await env.DB.prepare("SELECT * FROM person WHERE id = ?").bind(me.id).all();
    expect(JSON.stringify(rows.results)).not.toContain(entry.password);
    expect(rows.results[0]?.["password"]).toBeNull();
  });

  it("is written down in the audit log once, as the one who came", async () => {
    const entry = await addPerson();
    const me = await meOf(entry);
    await meOf(entry);
    const { items } = await (
      await admin("GET", `/audit?target=${me.id}&limit=50`)
    ).json<{ items: { action: string; actor: { id: string } }[] }>();
    expect(items.map(({ action }) => action)).toEqual(["session.open", "session.open", "person.create"]);
    expect(items.at(-1)?.actor.id).toBe(me.id);
  });

  it("is one person, whatever the case of the name and however many requests come first", async () => {
    const entry = await addPerson();
    const names = [entry.uid, entry.uid.toUpperCase(), entry.uid, entry.uid.toUpperCase()];
    const all = await Promise.all(names.map((uid) => meOf({ ...entry, uid })));
    expect(new Set(all.map(({ id }) => id)).size).toBe(1);
    expect(all[0]?.username).toBe(entry.uid);
  });

  it("has the directory's name and address at the next sign-in", async () => {
    const entry = await addPerson({ name: "Before", mail: "before@example.org" });
    const { id } = await meOf(entry);
    await lab.modify(
      `dn: cn=${entry.uid},${PEOPLE}\nchangetype: modify\nreplace: displayName\ndisplayName: After\n-\nreplace: mail\nmail: after@example.org\n`,
    );
    expect((await meOf(entry)).name).toBe("After");
    expect(await personOf(id)).toMatchObject({ email: "after@example.org" });
  });

  it("stays out once they were switched off here", async () => {
    const entry = await addPerson();
    const { id } = await meOf(entry);
    await admin("PATCH", `/people/${id}`, { enabled: false });
    expect((await signIn(entry)).status).toBe(401);
    expect(await personOf(id)).toMatchObject({ enabled: false });
  });

  it("gets no password here", async () => {
    const { id } = await meOf(await addPerson());
    expect((await admin("PATCH", `/people/${id}`, { password: PASSWORD })).status).toBe(400);
  });

  it("cannot sign in where the directory is not set up any more", async () => {
    const entry = await addPerson();
    await meOf(entry);
    expect((await signIn(entry, { by: fetchRelay })).status).toBe(401);
  });
});

describe("a refusal", { timeout: 60_000 }, () => {
  it("A7 is the same for a wrong password and for an unknown name", async () => {
    const { uid } = await addPerson();
    const [wrong, unknown] = await Promise.all([
      signIn({ uid, password: "wrong password" }),
      signIn({ uid: newUid(), password: "wrong password" }),
    ]);
    expect([wrong.status, unknown.status]).toEqual([401, 401]);
    expect((await messageOf(wrong)).message).toBe((await messageOf(unknown)).message);
  });

  it("A7 is followed by waiting, as with any password, and then the directory is not asked", async () => {
    const entry = await addPerson();
    const address = unique("address");
    for (let tries = 0; tries < 6; tries++) await signIn({ ...entry, password: "wrong" }, { address });
    expect((await signIn(entry, { address })).status).toBe(429);
    const dead = relayOf({ LDAP_URL: `ldaps://localhost:${String(proxies.closedPort)}` });
    expect((await signIn(entry, { by: dead, address })).status).toBe(429);
  });

  it("A8 meets an empty password, which this directory would take for anybody's", async () => {
    const { uid } = await addPerson();
    expect((await signIn({ uid, password: "" })).status).toBe(401);
    const dead = relayOf({ LDAP_URL: `ldaps://localhost:${String(proxies.closedPort)}` });
    expect((await signIn({ uid, password: "" }, { by: dead })).status).toBe(401);
  });

  const INJECTIONS = [
    "*",
    "*)(uid=*",
    "*)(|(uid=*",
    "x)(objectClass=*",
    "admin)(&)",
    "\\2a",
    "\u0000",
    "ada\u0000",
    "ädä",
    "ａｄａ",
    "\uD800",
    `cn=x,${PEOPLE}`,
    `x,${PEOPLE}`,
    "x+uid=y",
    '"x"',
    "#6164",
    "  ",
  ];
  it.each(INJECTIONS)("A8 meets the name %j", async (uid) => {
    const { password } = await addPerson();
    expect((await signIn({ uid, password })).status).toBe(401);
  });

  it.each(INJECTIONS)("A8 the search itself finds nobody by %j", async (uid) => {
    const settings = ldapOf(parseEnv({ ...env, ...DIRECTORY }));
    expect(settings && (await lookUp(settings, uid))).toEqual({ kind: "none" });
  });

  it("A8 finds whoever is really called something strange, and only them", async () => {
    const cn = 'a*(b)\\c, "d"+e=f';
    const { uid, password } = await addPerson({ cn: `${cn} ${newUid()}` });
    await lab.addGroup(unique("strange group"), [{ uid, cn: `${cn} not` }]);
    const group = unique("of the strange");
    await lab.addGroup(group, [{ uid, cn: await cnOf(uid) }]);
    const by = relayOf({
      LDAP_GROUP_SEARCH_BASE: GROUPS,
      LDAP_GROUP_ROLES: `${group}=admin;strange group=owner`,
    });
    expect((await meOf({ uid, password }, by)).role).toBe("admin");
  });

  it("meets a name that two entries have", async () => {
    const [one, other] = [await addPerson(), await addPerson()];
    const by = relayOf({ LDAP_SEARCH_FILTER: `(|(uid={{username}})(uid=${other.uid}))` });
    expect((await signIn(one, { by })).status).toBe(401);
    expect(await storedNames()).not.toContain(one.uid);
  });

  it("meets an entry whose name cannot be one here", async () => {
    const entry = await addPerson({ name: "a name with blanks" });
    const by = relayOf({ LDAP_USERNAME_ATTRIBUTE: "displayName" });
    expect((await signIn(entry, { by })).status).toBe(401);
  });
});

/** Of somebody's entry. */
async function cnOf(uid: string): Promise<string> {
  const settings = ldapOf(parseEnv({ ...env, ...DIRECTORY, LDAP_NAME_ATTRIBUTE: "cn" }));
  const lookup = settings && (await lookUp(settings, uid));
  if (lookup?.kind !== "found") throw new Error("nobody");
  return lookup.found.profile.name;
}

describe("a name that somebody has here", { timeout: 60_000 }, () => {
  it("is theirs alone: the directory's password does not open it", async () => {
    const local = await createPerson("owner");
    const entry = await addPerson({ uid: local.username });
    expect((await signIn(entry)).status).toBe(401);
    expect((await signIn({ uid: local.username, password: PASSWORD })).status).toBe(200);
    expect(await personOf(local.id)).toMatchObject({ source: "local", role: "owner", name: "" });
  });

  it("cannot be taken by way of another of the entry's attributes", async () => {
    const local = await createPerson("owner");
    const entry = await addPerson({ name: local.username });
    const by = relayOf({ LDAP_USERNAME_ATTRIBUTE: "displayName" });
    expect((await signIn(entry, { by })).status).toBe(401);
    expect(await personOf(local.id)).toMatchObject({ source: "local", lastLoginAt: null });
  });

  it.each(["admin", "ADMIN"])("%s is the variables' own", async (uid) => {
    const entry = await addPerson({ uid, cn: newUid() });
    expect((await signIn(entry)).status).toBe(401);
    await lab.modify(`dn: cn=${entry.cn ?? ""},${PEOPLE}\nchangetype: delete\n`);
    const sneaky = await addPerson({ name: uid });
    const by = relayOf({ LDAP_USERNAME_ATTRIBUTE: "displayName" });
    expect((await signIn(sneaky, { by })).status).toBe(401);
  });
});

describe("groups", { timeout: 60_000 }, () => {
  const ways = [
    ["the entry's own attribute", {}],
    ["a search", { LDAP_GROUP_SEARCH_BASE: GROUPS, LDAP_GROUP_SEARCH_FILTER: "(member={{dn}})" }],
  ] as const;

  it.each(ways)("give the highest role that they have, by %s, at every sign-in", async (_, variables) => {
    const entry = await addPerson();
    const [viewers, admins] = [unique("viewers"), unique("admins")];
    await lab.addGroup(viewers, [entry]);
    await lab.addGroup(admins, [entry]);
    const by = relayOf({
      ...variables,
      LDAP_GROUP_ROLES: `${viewers} = viewer; cn=${admins},${GROUPS.toUpperCase()} = admin`,
    });
    const me = await meOf(entry, by);
    expect(me.role).toBe("admin");
    await lab.removeGroup(admins);
    expect(await meOf(entry, by)).toMatchObject({ id: me.id, role: "viewer" });
    await lab.removeGroup(viewers);
    expect(await meOf(entry, by)).toMatchObject({ id: me.id, role: "user" });
  });

  it("keep out whoever is in none, where that is wanted, and end their sessions", async () => {
    const entry = await addPerson();
    const group = unique("team");
    await lab.addGroup(group, [entry]);
    const by = relayOf({ LDAP_GROUP_ROLES: `${group}=user`, LDAP_DEFAULT_ROLE: "none" });
    expect((await signIn(await addPerson(), { by })).status).toBe(401);
    const { token } = await (await signIn(entry, { by })).json<{ token: string }>();
    const me = () => by("/admin/me", { headers: { authorization: `Bearer ${token}` } });
    expect((await me()).status).toBe(200);
    await lab.removeGroup(group);
    expect((await signIn(entry, { by })).status).toBe(401);
    expect((await me()).status).toBe(401);
  });

  it("are an owner's business where nothing maps them", async () => {
    const entry = await addPerson();
    const { id } = await meOf(entry);
    await admin("PATCH", `/people/${id}`, { role: "viewer" });
    expect((await meOf(entry)).role).toBe("viewer");
  });
});

describe("a directory that cannot be asked", { timeout: 60_000 }, () => {
  const at = (port: number) => ({ LDAP_URL: `ldaps://localhost:${String(port)}`, LDAP_TIMEOUT_MS: "700" });
  const TROUBLE: readonly [string, Record<string, string>, RegExp][] = [
    ["is dead", at(proxies.closedPort), /could not be reached/],
    ["is silent", { ...at(proxies.silentPort) }, /did not answer in time/],
    [
      "is silent without TLS",
      { ...at(0), LDAP_URL: `ldap://127.0.0.1:${String(proxies.silentPort)}` },
      /did not answer in time/,
    ],
    ["has the certificate of an unknown authority", at(directory.foreignPort), /could not be reached/],
    ["has the certificate of another host", at(proxies.wrongTlsPort), /could not be reached/],
    ["is something else", at(proxies.tlsPort), /closed the connection|does not speak LDAP|in time/],
    ["refuses the relay", { LDAP_BIND_PASSWORD: "wrong-service-password" }, /LDAP_BIND_PASSWORD/],
    ["has a malformed filter", { LDAP_SEARCH_FILTER: "(uid {{username}})" }, /is not a filter/],
    ["has no such place", { LDAP_SEARCH_BASE: "dc=nowhere" }, /failed at a search with the result 32/],
  ];

  it.each(TROUBLE)(
    "because it %s is said so, and holds up nobody who is known here",
    async (_, wrong, message) => {
      const by = relayOf(wrong);
      const entry = await addPerson();
      const refused = await signIn(entry, { by });
      expect(refused.status).toBe(503);
      expect(await messageOf(refused)).toMatchObject({ code: "upstream_unavailable" });
      const local = await createPerson("viewer");
      expect((await signIn({ uid: local.username, password: PASSWORD }, { by })).status).toBe(200);
      expect((await signIn({ uid: local.username, password: "wrong" }, { by })).status).toBe(401);
      const report = await testOf(by, {});
      expect(report).toMatchObject({
        ok: Object.keys(wrong)[0]?.startsWith("LDAP_SEARCH") === true,
        person: null,
      });
      const asked = report.ok ? await testOf(by, { username: entry.uid }) : report;
      expect(asked.message).toMatch(message);
      expect(JSON.stringify([asked, await refused.text().catch(() => "")])).not.toMatch(
        /dc=|password-ä|wrong-serv/,
      );
    },
  );
});

async function testOf(by: typeof relay, input: object): Promise<DirectoryTest> {
  const { token } = await (
    await signIn({ uid: "admin", password: "password-of-the-integration-tests" }, { by })
  ).json<{ token: string }>();
  const response = await by("/admin/sign-in/ldap-test", {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json" },
    body: JSON.stringify(input),
  });
  expect(response.status).toBe(200);
  return response.json();
}

describe("the directory's test", { timeout: 60_000 }, () => {
  it("says what it found, without a password", async () => {
    const entry = await addPerson({ name: "Ada", mail: "ada@example.org" });
    const group = unique("team");
    await lab.addGroup(group, [entry]);
    const by = relayOf({ LDAP_GROUP_ROLES: `${group}=admin` });
    expect(await testOf(by, {})).toMatchObject({ ok: true, person: null });
    expect(await testOf(by, { username: entry.uid })).toMatchObject({
      ok: true,
      person: {
        username: entry.uid,
        name: "Ada",
        email: "ada@example.org",
        role: "admin",
        groups: [`cn=${group},${GROUPS}`, group],
      },
    });
    expect(await testOf(by, { username: newUid() })).toMatchObject({ ok: false, person: null });
    expect(await storedNames()).not.toContain(entry.uid);
  });

  it("is there for sign-in pages to know of", async () => {
    expect(await (await relay("/admin/sign-in")).json()).toMatchObject({ password: true, ldap: true });
    expect(await (await fetchRelay("/admin/sign-in")).json()).toEqual({
      password: true,
      ldap: false,
      oidc: null,
      registration: false,
    });
  });
});

describe("the log", { timeout: 60_000 }, () => {
  afterEach(() => {
    vi.restoreAllMocks();
  });

  it("has neither names nor passwords of the directory", async () => {
    const lines: string[] = [];
    for (const level of ["log", "info", "warn", "error", "debug"] as const) {
      vi.spyOn(console, level).mockImplementation((...parts: unknown[]) => {
        lines.push(parts.map(String).join(" "));
      });
    }
    const entry = await addPerson();
    await meOf(entry);
    await signIn({ ...entry, password: "wrong password" });
    await signIn(entry, { by: relayOf({ LDAP_BIND_PASSWORD: "wrong" }) });
    for (const secret of [entry.uid, entry.password, "wrong password", PEOPLE, SERVICE.dn, "LDAPTS"])
      expect(lines.join("\n")).not.toContain(secret);
  });
});
