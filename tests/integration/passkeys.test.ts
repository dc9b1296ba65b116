/** Passkeys: made, used alone and as a second factor, and every way in which an answer can be wrong. Security case A4. */
import { beforeAll, describe, expect, it } from "vitest";
import type { Person } from "../../worker/domain/person.ts";
import { Authenticator, type Answering } from "./setup/authenticator.ts";
import { createPerson, login, PASSWORD, signedIn, type Call } from "./setup/people.ts";
import { admin, env, fetchRelay, relayWith, unique } from "./setup/relay.ts";
import { me, secondStep, type FactorAsked } from "./setup/second-factors.ts";

interface Creation {
  readonly challenge: string;
  readonly rp: { readonly id: string };
  readonly user: { readonly id: string };
  readonly excludeCredentials: readonly { readonly id: string }[];
}

const post = (path: string, body?: unknown, relay = fetchRelay): Promise<Response> =>
  relay(`/admin${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", "cf-connecting-ip": unique("address") },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

const creation = async (as: Call): Promise<Creation> =>
  (await as("POST", "/me/passkeys/options", { password: PASSWORD })).json();

/** What is asked of whoever has a passkey. */
const asked = async (): Promise<string> =>
  (await (await post("/passkeys/options")).json<{ challenge: string }>()).challenge;

const signIn = async (authenticator: Authenticator, answering: Partial<Answering> = {}): Promise<Response> =>
  post("/passkeys/login", await authenticator.answer({ challenge: await asked(), ...answering }));

async function withPasskey(): Promise<{ person: Person; as: Call; authenticator: Authenticator }> {
  const person = await createPerson("viewer");
  const as = await signedIn(person);
  const authenticator = await Authenticator.create();
  const { challenge, user } = await creation(as);
  const made = await authenticator.register({ challenge, userHandle: user.id });
  const added = await as("POST", "/me/passkeys", { ...made, name: "laptop" });
  expect(added.status).toBe(201);
  return { person, as, authenticator };
}

let ada: Awaited<ReturnType<typeof withPasskey>>;

beforeAll(async () => {
  ada = await withPasskey();
}, 120_000);

describe("a passkey", { timeout: 120_000 }, () => {
  it("is made, listed, renamed and deleted by whose it is", async () => {
    const { as, authenticator } = await withPasskey();
    const path = `/me/passkeys/${authenticator.id}`;
    const listed = await (await as("GET", "/me/passkeys")).json();
    expect(listed).toEqual({
      items: [
        { id: authenticator.id, name: "laptop", createdAt: expect.any(Number) as number, lastUsedAt: null },
      ],
    });
    expect(await (await as("PATCH", path, { name: "desk" })).json()).toMatchObject({ name: "desk" });
    expect((await creation(as)).excludeCredentials.map(({ id }) => id)).toEqual([authenticator.id]);
    expect((await ada.as("PATCH", path, { name: "mine now" })).status).toBe(404);
    expect((await ada.as("DELETE", path)).status).toBe(404);
    expect((await signIn(authenticator)).status).toBe(200);
    expect((await as("DELETE", path)).status).toBe(204);
    expect((await signIn(authenticator)).status).toBe(401);
    expect(await (await as("GET", "/me")).json()).toMatchObject({ secondFactors: [] });
  });

  it("signs in alone, and counts its uses", async () => {
    for (let use = 0; use < 2; use++) {
      const response = await signIn(ada.authenticator);
      expect(response.status).toBe(200);
      expect(response.headers.get("set-cookie")).toMatch(/HttpOnly/i);
      const { token } = await response.json<{ token: string }>();
      expect(await (await me(token)).json()).toMatchObject({ id: ada.person.id, secondFactors: ["passkey"] });
    }
  });

  it("may be one that does not count", async () => {
    const { as } = ada;
    const authenticator = await Authenticator.create();
    const { challenge } = await creation(as);
    const made = await authenticator.register({ challenge, counter: 0 });
    expect((await as("POST", "/me/passkeys", made)).status).toBe(201);
    for (let use = 0; use < 2; use++) expect((await signIn(authenticator, { counter: 0 })).status).toBe(200);
    expect((await as("DELETE", `/me/passkeys/${authenticator.id}`)).status).toBe(204);
  });
});

describe("A4 a passkey's answer", { timeout: 120_000 }, () => {
  const handle = "cGVyXzAwMDAwMDA5";
  it.each<[string, Partial<Answering>]>([
    ["to a challenge that was never asked", { challenge: "bmV2ZXIgYXNrZWQgYnkgYW55Ym9keSBhdCBhbGwh" }],
    ["from another origin", { origin: "https://relay.test.example" }],
    ["from the same host without TLS", { origin: "http://relay.test" }],
    ["for another host", { rpId: "example.org" }],
    ["without a look at who it is", { isVerified: false }],
    ["for somebody else", { userHandle: handle }],
  ])("is refused %s", async (_, wrong) => {
    expect((await signIn(ada.authenticator, wrong)).status).toBe(401);
    expect((await signIn(ada.authenticator)).status).toBe(200);
  });

  it("is good once, at once or one after the other", async () => {
    const answer = await ada.authenticator.answer({ challenge: await asked() });
    const answers = await Promise.all([1, 2, 3].map(() => post("/passkeys/login", answer)));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401, 401]);
    expect((await post("/passkeys/login", answer)).status).toBe(401);
  });

  it("is refused when its counter does not go on, as a copy's would not", async () => {
    expect((await signIn(ada.authenticator, { counter: 1000 })).status).toBe(200);
    expect((await signIn(ada.authenticator, { counter: 1000 })).status).toBe(401);
    expect((await signIn(ada.authenticator, { counter: 999 })).status).toBe(401);
    expect((await signIn(ada.authenticator, { counter: 0 })).status).toBe(401);
    await env.DB.prepare("UPDATE person_passkey SET counter = 1 WHERE id = ?")
      .bind(ada.authenticator.id)
      .run();
  });

  it("is refused from an authenticator that nobody knows, and from one that says it is another", async () => {
    const stranger = await Authenticator.create();
    expect((await signIn(stranger)).status).toBe(401);
    const answer = await stranger.answer({ challenge: await asked() });
    const { id } = ada.authenticator;
    expect((await post("/passkeys/login", { ...answer, id, rawId: id })).status).toBe(401);
  });

  it("is refused too late, and for a person who is switched off", async () => {
    const challenge = await asked();
    await env.DB.prepare("UPDATE passkey_challenge SET expires_at = 1").run();
    expect((await signIn(ada.authenticator, { challenge })).status).toBe(401);
    const { person, authenticator } = await withPasskey();
    await admin("PATCH", `/people/${person.id}`, { enabled: false });
    expect((await signIn(authenticator)).status).toBe(401);
  });

  it.each([{}, { id: "x" }, { id: "x", rawId: "x", type: "public-key", response: { clientDataJSON: "%" } }])(
    "is refused where it is none: %j",
    async (body) => {
      expect((await post("/passkeys/login", body)).status).toBe(400);
    },
  );

  it("is refused where its parts are no parts", async () => {
    for (const part of ["clientDataJSON", "authenticatorData", "signature"]) {
      const answer = await ada.authenticator.answer({ challenge: await asked() });
      const response = { ...answer.response, [part]: "AAAA" };
      expect((await post("/passkeys/login", { ...answer, response })).status).toBe(401);
    }
  });
});

describe("A4 a new passkey", { timeout: 120_000 }, () => {
  it.each<[string, Partial<Answering>]>([
    ["to a challenge that was never asked", { challenge: "bmV2ZXIgYXNrZWQgYnkgYW55Ym9keSBhdCBhbGwh" }],
    ["from another origin", { origin: "https://evil.example" }],
    ["for another host", { rpId: "evil.example" }],
    ["without a look at who it is", { isVerified: false }],
  ])("is refused %s", async (_, wrong) => {
    const authenticator = await Authenticator.create();
    const { challenge } = await creation(ada.as);
    const made = await authenticator.register({ challenge, ...wrong });
    expect((await ada.as("POST", "/me/passkeys", made)).status).toBe(400);
    expect((await signIn(authenticator)).status).toBe(401);
  });

  it("is made for whom it was asked, once, and not with what was asked to sign in", async () => {
    const bob = await withPasskey();
    const authenticator = await Authenticator.create();
    const { challenge } = await creation(bob.as);
    const made = await authenticator.register({ challenge });
    expect((await ada.as("POST", "/me/passkeys", made)).status).toBe(400);
    expect((await bob.as("POST", "/me/passkeys", made)).status).toBe(201);
    expect((await bob.as("POST", "/me/passkeys", made)).status).toBe(400);
    const other = await (await Authenticator.create()).register({ challenge: await asked() });
    expect((await bob.as("POST", "/me/passkeys", other)).status).toBe(400);
    // What is known already stays whose it is.
    const again = await authenticator.register({ challenge: (await creation(ada.as)).challenge });
    expect((await ada.as("POST", "/me/passkeys", again)).status).toBe(409);
  });
});

describe("a passkey as second factor", { timeout: 120_000 }, () => {
  it("makes a session of a ticket, answering what the first step asked", async () => {
    const first = await login(ada.person.username, PASSWORD);
    const { factor } = await first.json<FactorAsked>();
    expect(factor).toMatchObject({ kinds: ["passkey"], passkey: { rpId: "relay.test" } });
    const challenge = factor.passkey?.challenge ?? "";
    const alone = await ada.authenticator.answer({ challenge: await asked() });
    expect((await secondStep(factor.ticket, { passkey: alone })).status).toBe(401);
    const passkey = await ada.authenticator.answer({ challenge });
    // What was asked beside a ticket is no sign-in by itself.
    expect((await post("/passkeys/login", passkey)).status).toBe(401);
    const right = await secondStep(factor.ticket, { passkey });
    expect(right.status).toBe(200);
    expect((await secondStep(factor.ticket, { passkey })).status).toBe(401);
  });

  it("must be one's own", async () => {
    const bob = await withPasskey();
    const first = await login(ada.person.username, PASSWORD);
    const { factor } = await first.json<FactorAsked>();
    const passkey = await bob.authenticator.answer({ challenge: factor.passkey?.challenge ?? "" });
    expect((await secondStep(factor.ticket, { passkey })).status).toBe(401);
  });
});

describe("ADMIN_ORIGINS", { timeout: 120_000 }, () => {
  it("says for which hosts passkeys are made, and from where they answer", async () => {
    const relay = relayWith({ ADMIN_ORIGINS: "https://admin.example.org, https://second.example.org" });
    const options = async (origin: string) => {
      const headers = { origin, "cf-connecting-ip": unique("address") };
      const response = await relay("/admin/passkeys/options", { method: "POST", headers });
      return response.json<{ rpId: string; challenge: string }>();
    };
    expect((await options("https://second.example.org")).rpId).toBe("second.example.org");
    const { rpId, challenge } = await options("https://elsewhere.example.org");
    expect(rpId).toBe("admin.example.org");
    // The relay's own origin is none of them.
    const here = await ada.authenticator.answer({ challenge });
    expect((await post("/passkeys/login", here, relay)).status).toBe(401);
    // A host answers for itself, not for another of the list.
    const crossed = { challenge: (await options("")).challenge, origin: "https://second.example.org", rpId };
    expect((await post("/passkeys/login", await ada.authenticator.answer(crossed), relay)).status).toBe(401);
  });
});

describe("adding a passkey", { timeout: 60_000 }, () => {
  it("asks for the password or a code, since whoever has a session might not be its person", async () => {
    const as = await signedIn(await createPerson("admin"));
    for (const proof of [{}, { password: "not the password" }, { code: "000000" }]) {
      expect((await as("POST", "/me/passkeys/options", proof)).ok, JSON.stringify(proof)).toBe(false);
    }
    expect((await as("POST", "/me/passkeys/options", { password: PASSWORD })).status).toBe(200);
  });
});

describe("a passkey of somebody who signs in elsewhere", { timeout: 60_000 }, () => {
  it.each(["ldap", "oidc"])("is no way in by itself: %s", async (source) => {
    const { person, authenticator } = await withPasskey();
    expect((await signIn(authenticator)).status).toBe(200);
    await env.DB.prepare("UPDATE person SET config = json_set(config, '$.source', ?) WHERE id = ?")
      .bind(source, person.id)
      .run();
    expect((await signIn(authenticator)).status).toBe(401);
  });
});
