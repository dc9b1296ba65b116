/**
 * An OpenID provider for tests, which looks at everything it is sent as a strict one does, and lies where it is told
 * to. Each test has a tenant of its own: `/<tenant>` is an issuer.
 */
import { createHash, createHmac, generateKeyPairSync, sign, type KeyObject } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { isDeepStrictEqual } from "node:util";
import { CLIENT, type Tenant } from "./orders.ts";

export interface RunningProvider {
  readonly url: string;
  order(name: string, tenant: Tenant): void;
  close(): void;
}

interface Grant {
  readonly challenge: string;
  readonly redirectUri: string;
  readonly nonce: string;
}

interface State {
  tenant: Tenant;
  readonly grants: Map<string, Grant>;
}

const LIFETIME_S = 300;
const KEYS = {
  ES256: generateKeyPairSync("ec", { namedCurve: "P-256" }),
  RS256: generateKeyPairSync("rsa", { modulusLength: 2048 }),
};
/** Of somebody else, who gives it the same name. */
const FOREIGN = generateKeyPairSync("ec", { namedCurve: "P-256" });

const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
const publicJwk = (alg: keyof typeof KEYS) => ({
  ...KEYS[alg].publicKey.export({ format: "jwk" }),
  kid: alg,
  alg,
  use: "sig",
});

function signatureOf(alg: string, key: KeyObject, text: string): string {
  const data = Buffer.from(text);
  return alg === "ES256"
    ? sign("sha256", data, { key, dsaEncoding: "ieee-p1363" }).toString("base64url")
    : sign("sha256", data, key).toString("base64url");
}

/** A token as the tenant's lie has it. */
function tokenOf({ lie = "honest", alg = "ES256" }: Tenant, claims: object): string {
  const body = encoded(claims);
  switch (lie) {
    case "alg-none":
      return `${encoded({ alg: "none", typ: "JWT" })}.${body}.`;
    case "alg-hs256": {
      // The public key as a secret: what a reader that takes any algorithm falls for.
      const text = `${encoded({ alg: "HS256", kid: alg })}.${body}`;
      const secret = KEYS[alg].publicKey.export({ format: "pem", type: "spki" });
      return `${text}.${createHmac("sha256", secret).update(text).digest("base64url")}`;
    }
    case "foreign-key": {
      const text = `${encoded({ alg: "ES256", kid: "ES256" })}.${body}`;
      return `${text}.${signatureOf("ES256", FOREIGN.privateKey, text)}`;
    }
    case "changed-claims": {
      const text = `${encoded({ alg, kid: alg })}.${body}`;
      const changed = `${encoded({ alg, kid: alg })}.${encoded({ ...claims, sub: "somebody else" })}`;
      return `${changed}.${signatureOf(alg, KEYS[alg].privateKey, text)}`;
    }
    case "nonce":
    case "no-nonce":
    case "audience":
    case "issuer":
    case "expired":
    case "denied":
    case "honest": {
      const text = `${encoded({ alg, kid: alg })}.${body}`;
      return `${text}.${signatureOf(alg, KEYS[alg].privateKey, text)}`;
    }
  }
}

function claimsOf(issuer: string, { lie = "honest", claims }: Tenant, nonce: string): object {
  const now = Math.floor(Date.now() / 1000);
  const honest = { iss: issuer, aud: CLIENT.id, iat: now, exp: now + LIFETIME_S, nonce, ...claims };
  switch (lie) {
    case "nonce":
      return { ...honest, nonce: "a nonce that nobody asked for" };
    case "no-nonce":
      return { ...honest, nonce: undefined };
    case "audience":
      return { ...honest, aud: "another-client" };
    case "issuer":
      return { ...honest, iss: `${issuer}-of-another` };
    case "expired":
      return { ...honest, iat: now - 2 * LIFETIME_S, exp: now - LIFETIME_S };
    case "alg-none":
    case "alg-hs256":
    case "foreign-key":
    case "changed-claims":
    case "denied":
    case "honest":
      return honest;
  }
}

export async function startProvider(): Promise<RunningProvider> {
  const tenants = new Map<string, State>();
  let serial = 0;
  const server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      response.writeHead(400, { "content-type": "application/json" });
      response.end(JSON.stringify({ error: "invalid_request", error_description: String(error) }));
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const base = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`;

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", base);
    const [, name = "", ...rest] = url.pathname.split("/");
    const state = tenants.get(name);
    if (state === undefined) throw new Error(`there is no tenant ${name}`);
    const issuer = `${base}/${name}`;
    const json = (value: object) => {
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(value));
    };
    switch (rest.join("/")) {
      case ".well-known/openid-configuration":
        json(description(issuer, state.tenant));
        return;
      case "jwks":
        json({ keys: [publicJwk("ES256"), publicJwk("RS256")] });
        return;
      case "authorize":
        response.writeHead(302, { location: authorized(issuer, state, url.searchParams) }).end();
        return;
      case "token":
        json(await exchanged(issuer, state, request));
        return;
      case "userinfo":
        if (request.headers.authorization !== "Bearer access-of-nobody") throw new Error("no access token");
        json({ sub: state.tenant.claims["sub"], ...state.tenant.userinfo });
        return;
      default:
        throw new Error(`there is nothing at ${url.pathname}`);
    }
  }

  function authorized(issuer: string, { grants, tenant }: State, asked: URLSearchParams): string {
    const expected = { client_id: CLIENT.id, response_type: "code", code_challenge_method: "S256" };
    for (const [name, value] of Object.entries(expected))
      if (asked.get(name) !== value) throw new Error(`${name} is ${asked.get(name) ?? "missing"}`);
    const [redirectUri, challenge, nonce, state] = ["redirect_uri", "code_challenge", "nonce", "state"].map(
      (name) => {
        const value = asked.get(name);
        if (value === null || value === "") throw new Error(`${name} is missing`);
        return value;
      },
    ) as [string, string, string, string];
    if (redirectUri !== CLIENT.redirectUri) throw new Error(`redirect_uri is ${redirectUri}`);
    if (!asked.get("scope")?.split(" ").includes("openid")) throw new Error("scope is without openid");
    const back = new URL(redirectUri);
    back.searchParams.set("state", state);
    back.searchParams.set("iss", issuer);
    if (tenant.lie === "denied") back.searchParams.set("error", "access_denied");
    else {
      const code = `code-${String(++serial)}`;
      grants.set(code, { challenge, redirectUri, nonce });
      back.searchParams.set("code", code);
    }
    return back.href;
  }

  async function exchanged(issuer: string, { grants, tenant }: State, request: IncomingMessage) {
    const given = new URLSearchParams(await textOf(request));
    const isClient = isDeepStrictEqual(clientIn(request, given), {
      way: tenant.authentication ?? "basic",
      id: CLIENT.id,
      secret: tenant.authentication === "none" ? null : CLIENT.secret,
    });
    if (!isClient) throw new Error("the client is not who it says");
    const code = given.get("code") ?? "";
    const grant = grants.get(code);
    grants.delete(code);
    if (grant === undefined) throw new Error("the code is unknown or was used");
    const challenge = createHash("sha256")
      .update(given.get("code_verifier") ?? "")
      .digest("base64url");
    if (challenge !== grant.challenge) throw new Error("the verifier is not that of the challenge");
    if (given.get("redirect_uri") !== grant.redirectUri) throw new Error("another redirect_uri");
    const idToken = tokenOf(tenant, claimsOf(issuer, tenant, grant.nonce));
    return { access_token: "access-of-nobody", token_type: "Bearer", expires_in: 60, id_token: idToken };
  }

  return {
    url: base,
    order(name, tenant) {
      const known = tenants.get(name);
      if (known === undefined) tenants.set(name, { tenant, grants: new Map() });
      else known.tenant = tenant;
    },
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Who says to be the client, and how (RFC 6749, section 2.3.1). */
function clientIn({ headers }: IncomingMessage, given: URLSearchParams) {
  const [scheme, credentials = ""] = (headers.authorization ?? "").split(" ");
  if (scheme === "Basic") {
    const [id = "", secret = ""] = Buffer.from(credentials, "base64").toString().split(":");
    return { way: "basic", id: decodeURIComponent(id), secret: decodeURIComponent(secret) };
  }
  const secret = given.get("client_secret");
  return { way: secret === null ? "none" : "post", id: given.get("client_id"), secret };
}

const METHODS = { basic: "client_secret_basic", post: "client_secret_post", none: "none" } as const;

const description = (issuer: string, { userinfo, authentication, alg = "ES256" }: Tenant) => ({
  issuer,
  authorization_endpoint: `${issuer}/authorize`,
  token_endpoint: `${issuer}/token`,
  jwks_uri: `${issuer}/jwks`,
  ...(userinfo === undefined ? {} : { userinfo_endpoint: `${issuer}/userinfo` }),
  id_token_signing_alg_values_supported: [alg, "none", "HS256"],
  authorization_response_iss_parameter_supported: true,
  ...(authentication === undefined
    ? {}
    : { token_endpoint_auth_methods_supported: [METHODS[authentication]] }),
});

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}
