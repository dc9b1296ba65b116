/** Talks to where people of the tests sign in; the same from Node and from inside workerd. */
import { GROUPS, PEOPLE, type Directory, type Tenant } from "./orders.ts";

export interface Entry {
  readonly uid: string;
  readonly password: string;
  /** Of the relative name; the user name when absent. */
  readonly cn?: string;
  readonly name?: string;
  readonly mail?: string;
}

const escapeDn = (text: string) => text.replace(/[",+;<>\\=#]/g, (character) => `\\${character}`);
/** RFC 2849: what is not plain goes as base64. */
const line = (name: string, value: string) =>
  `${name}:: ${btoa(String.fromCharCode(...new TextEncoder().encode(value)))}\n`;

export const dnOf = ({ uid, cn }: Pick<Entry, "uid" | "cn">) => `cn=${escapeDn(cn ?? uid)},${PEOPLE}`;

export function identityLab(url: string) {
  async function ask<Answer>(path: string, body?: string): Promise<Answer> {
    const answer = await fetch(`${url}/${path}`, {
      method: "POST",
      ...(body === undefined ? {} : { body }),
    });
    if (!answer.ok) throw new Error(await answer.text());
    const value: unknown = await answer.json();
    return value as Answer;
  }
  const modify = (ldif: string) => ask<null>("modify", ldif);
  return {
    /** The provider's address; a tenant's issuer is behind it. */
    provider: () => ask<string>("provider"),
    setTenant: (name: string, tenant: Tenant) => ask<null>("tenant", JSON.stringify({ name, tenant })),
    directory: () => ask<Directory>("directory"),
    modify,
    add: (entry: Entry) =>
      modify(
        line("dn", dnOf(entry)) +
          "changetype: add\nobjectClass: inetOrgPerson\n" +
          line("uid", entry.uid) +
          line("cn", entry.cn ?? entry.uid) +
          line("sn", entry.uid) +
          line("userPassword", entry.password) +
          (entry.name === undefined ? "" : line("displayName", entry.name)) +
          (entry.mail === undefined ? "" : line("mail", entry.mail)),
      ),
    addGroup: (name: string, members: readonly Pick<Entry, "uid" | "cn">[]) =>
      modify(
        line("dn", `cn=${escapeDn(name)},${GROUPS}`) +
          "changetype: add\nobjectClass: groupOfNames\n" +
          line("cn", name) +
          members.map((member) => line("member", dnOf(member))).join(""),
      ),
    removeGroup: (name: string) =>
      modify(line("dn", `cn=${escapeDn(name)},${GROUPS}`) + "changetype: delete\n"),
  };
}
