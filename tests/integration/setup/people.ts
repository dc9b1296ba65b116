/** People of each role, and calls in their name. */
import type { Person, Role } from "../../../worker/domain/person.ts";
import { admin, fetchRelay, unique } from "./relay.ts";

const JSON_TYPE = { "content-type": "application/json" };
export const PASSWORD = "a password of this test";

export const login = (username: string, password: string, address = unique("address")) =>
  fetchRelay("/admin/login", {
    method: "POST",
    headers: { ...JSON_TYPE, "cf-connecting-ip": address },
    body: JSON.stringify({ username, password }),
  });

export async function createPerson(role: Role): Promise<Person> {
  const username = unique("person").slice(0, 40);
  const response = await admin("POST", "/people", { username, password: PASSWORD, role });
  if (response.status !== 201) throw new Error(`POST /people: ${await response.text()}`);
  return response.json<Person>();
}

/** People's own paths, those of holders of keys, and those of older relays stand beside the admin's. */
export const fullPath = (path: string): string =>
  /^\/(?:users|web|public)\//.test(path) ? path : `/admin${path}`;

export type Call = (method: string, path: string, body?: unknown) => Promise<Response>;

/** Calls with a person's own session. */
export async function signedIn({ username }: Person): Promise<Call> {
  const response = await login(username, PASSWORD);
  const { token } = await response.json<{ token: string }>();
  return (method, path, body) =>
    fetchRelay(fullPath(path), {
      method,
      headers: { ...JSON_TYPE, authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
}
