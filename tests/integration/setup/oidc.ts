/** A browser that signs in at the OpenID provider, one step at a time. */
import { identityLab } from "../../identity/client.ts";
import { CLIENT, type Tenant } from "../../identity/orders.ts";
import { env, relayWith, unique } from "./relay.ts";

const lab = identityLab(env.TEST_IDENTITY_LAB_URL);
const provider = await lab.provider();

export const newSub = () => unique("sub");

export interface Setting {
  readonly by: ReturnType<typeof relayWith>;
  readonly issuer: string;
  setTenant(tenant: Tenant): Promise<unknown>;
}

/** A provider of the test's own, and a relay that knows it. */
export async function settingOf(tenant: Tenant, variables: Record<string, string> = {}): Promise<Setting> {
  const name = unique("tenant");
  await lab.setTenant(name, tenant);
  const issuer = `${provider}/${name}`;
  const secret = tenant.authentication === "none" ? {} : { OIDC_CLIENT_SECRET: CLIENT.secret };
  const by = relayWith({ OIDC_ISSUER: issuer, OIDC_CLIENT_ID: CLIENT.id, ...secret, ...variables });
  return { by, issuer, setTenant: (next) => lab.setTenant(name, next) };
}

const cookieIn = (response: Response, name: string): string | null => {
  const line = response.headers.getSetCookie().find((each) => each.startsWith(`${name}=`));
  const value = line?.slice(name.length + 1).split(";", 1)[0] ?? "";
  return value === "" ? null : value;
};

/** What a browser has after it was sent to the provider. */
export interface Begun {
  readonly authorizeUrl: string;
  readonly cookie: string;
  readonly setCookie: string;
}

export async function begin({ by }: Setting): Promise<Begun> {
  const response = await by("/admin/oidc/start");
  const [authorizeUrl, cookie] = [response.headers.get("location"), cookieIn(response, "relay_oidc")];
  if (response.status !== 303 || authorizeUrl === null || cookie === null)
    throw new Error(`${String(response.status)} ${authorizeUrl ?? ""} ${await response.text()}`);
  return { authorizeUrl, cookie, setCookie: response.headers.getSetCookie().join("\n") };
}

/** At the provider, until it sends the browser back. @returns the path that it is sent to */
export async function authorize({ authorizeUrl }: Begun): Promise<string> {
  const response = await fetch(authorizeUrl, { redirect: "manual" });
  const location = response.headers.get("location");
  if (location === null) throw new Error(await response.text());
  const { pathname, search } = new URL(location);
  return pathname + search;
}

export const comeBack = (
  { by }: Setting,
  path: string,
  cookie: string | null,
  address = unique("address"),
): Promise<Response> =>
  by(path, {
    headers: {
      "cf-connecting-ip": address,
      ...(cookie === null ? {} : { cookie: `relay_oidc=${cookie}` }),
    },
  });

/** All of it. */
export async function signInAt(setting: Setting): Promise<Response> {
  const begun = await begin(setting);
  return comeBack(setting, await authorize(begun), begun.cookie);
}

export const sessionIn = (response: Response) => cookieIn(response, "relay_session");
/** What the sign-in page is told; null: nothing. */
export const failureIn = (response: Response) =>
  /^\/login\?error=(\w+)$/.exec(response.headers.get("location") ?? "")?.[1] ?? null;

export interface Me {
  readonly id: string;
  readonly username: string;
  readonly name: string;
  readonly role: string;
}

export async function meAfter(setting: Setting): Promise<Me> {
  const response = await signInAt(setting);
  const session = sessionIn(response);
  if (session === null) throw new Error(`not signed in: ${failureIn(response) ?? String(response.status)}`);
  return (await setting.by("/admin/me", { headers: { cookie: `relay_session=${session}` } })).json();
}
