/** People of the directory, and a relay that knows it. */
import { identityLab, type Entry } from "../../identity/client.ts";
import { PEOPLE, SERVICE } from "../../identity/orders.ts";
import { env, relayWith, unique } from "./relay.ts";

export const lab = identityLab(env.TEST_IDENTITY_LAB_URL);
export const directory = await lab.directory();

const JSON_TYPE = { "content-type": "application/json" };

export const DIRECTORY = {
  LDAP_URL: `ldaps://localhost:${String(directory.ldapsPort)}`,
  LDAP_BIND_DN: SERVICE.dn,
  LDAP_BIND_PASSWORD: SERVICE.password,
  LDAP_SEARCH_BASE: PEOPLE,
  LDAP_NAME_ATTRIBUTE: "displayName",
} as const;

export const relayOf = (variables: Record<string, string> = {}) => relayWith({ ...DIRECTORY, ...variables });
export const relay = relayOf();

export const newUid = () => unique("d").slice(0, 40);

/** Somebody new in the directory. */
export async function addPerson(entry: Partial<Entry> = {}): Promise<Entry> {
  const person = { uid: newUid(), password: `password of ${unique("somebody")} ß*`, ...entry };
  await lab.add(person);
  return person;
}

export const signIn = (
  { uid, password }: Pick<Entry, "uid" | "password">,
  { by = relay, address = unique("address") } = {},
) =>
  by("/admin/login", {
    method: "POST",
    headers: { ...JSON_TYPE, "cf-connecting-ip": address },
    body: JSON.stringify({ username: uid, password }),
  });

export interface Me {
  readonly id: string;
  readonly username: string;
  readonly name: string;
  readonly role: string;
}

/** Who somebody is once they have signed in. */
export async function meOf(person: Pick<Entry, "uid" | "password">, by = relay): Promise<Me> {
  const response = await signIn(person, { by });
  if (response.status !== 200) throw new Error(`${String(response.status)} ${await response.text()}`);
  const { token } = await response.json<{ token: string }>();
  return (await by("/admin/me", { headers: { authorization: `Bearer ${token}` } })).json();
}
