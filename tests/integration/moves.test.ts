/** What a conversation does when its own account cannot serve it: it waits a moment, or moves with what others can read. */
import { describe, expect, it } from "vitest";
import {
  answer,
  foreignThinking,
  invalidRequest,
  overloaded,
  rateLimited,
  type Behaviour,
} from "../upstream/behaviour.ts";
import {
  accountView,
  admin,
  call,
  createPair,
  createPool,
  eventually,
  messagesBody,
  relayWith,
  upstream,
  usageOf,
  type TestAccount,
  type TestKey,
} from "./setup/relay.ts";
import { inSession, newSession, requestsOf, servedBy } from "./setup/sessions.ts";
import { requestView, storyOf } from "./setup/story.ts";

/** A session at its home, and the one account it could move to. */
async function settled() {
  const { accounts, key } = await createPool([{}, {}]);
  const session = inSession(newSession());
  const home = await servedBy(accounts, () => call(key, session));
  const other = otherThan(home, accounts);
  return { accounts, key, session, home, other };
}

function otherThan(account: TestAccount, accounts: readonly TestAccount[]): TestAccount {
  const other = accounts.find(({ id }) => id !== account.id);
  if (other === undefined) throw new Error("there is only one account");
  return other;
}

const livesElsewhere = (home: TestAccount) =>
  eventually(
    () => accountView(home),
    ({ status }) => status?.sessions === 1,
  );

/** Rests of a second are a moment here, so that a second request surely falls into them. */
const waitingRelay = relayWith({ SESSION_PATIENCE_MS: "5000" });

/** Two requests of a session: one that meets its account's limit, and one once the account's object knows of it. */
async function sendTwo(
  account: TestAccount,
  key: TestKey,
  session: ReturnType<typeof inSession>,
): Promise<number[]> {
  await upstream.next(account.secret, rateLimited({ retryAfterS: 1 }));
  const met = call(key, { ...session, relay: waitingRelay });
  await eventually(
    () => accountView(account),
    ({ status }) => status?.availability.kind === "cooling",
  );
  const followed = call(key, { ...session, relay: waitingRelay });
  return (await Promise.all([met, followed])).map(({ status }) => status);
}

describe("a session whose account rests only a moment", () => {
  it("waits for it and stays", async () => {
    const { key, session, home, other } = await settled();
    await upstream.next(home.secret, rateLimited({ retryAfterS: 0.1 }));
    const response = await call(key, session);
    expect(response.status).toBe(200);
    expect(await requestsOf([home, other])).toEqual([3, 0]);
    const { steps } = await storyOf(key, response);
    expect(steps.map(({ kind }) => kind)).toEqual(["leased", "failed", "stayed", "leased"]);
    expect((await accountView(home)).status?.sessions).toBe(0);
  });

  it("waits for it also when another request has met the limit", async () => {
    const { key, session, home, other } = await settled();
    expect(await sendTwo(home, key, session)).toEqual([200, 200]);
    expect(await requestsOf([home, other])).toEqual([4, 0]);
  });

  it("waits for the account that took it over, not for its home", async () => {
    const { key, session, home, other } = await settled();
    await upstream.next(home.secret, overloaded());
    expect((await servedBy([other], () => call(key, session))).id).toBe(other.id);
    await livesElsewhere(home);
    await admin("POST", `/accounts/${home.id}/reset`);
    const [before] = await requestsOf([home]);
    expect(await sendTwo(other, key, session)).toEqual([200, 200]);
    expect(await requestsOf([home])).toEqual([before]);
  });

  it("moves when the rest is longer than a moment", async () => {
    const { key, session, home, other } = await settled();
    await upstream.next(home.secret, rateLimited({ retryAfterS: 30 }));
    const response = await call(key, session);
    expect(response.status).toBe(200);
    expect(await requestsOf([home, other])).toEqual([2, 1]);
    const { steps } = await storyOf(key, response);
    expect(steps.map(({ kind }) => kind)).toEqual(["leased", "failed", "leased", "handed_over"]);
    await livesElsewhere(home);
  });

  it("does not keep requests without a session waiting: they go elsewhere at once", async () => {
    const { accounts, key } = await createPool([{ priority: 1 }, { priority: 2 }]);
    await upstream.next(accounts[0]?.secret ?? "", rateLimited({ retryAfterS: 0.1 }));
    expect((await call(key)).status).toBe(200);
    expect(await requestsOf(accounts)).toEqual([1, 1]);
  });
});

const thinking = { type: "thinking", thinking: "Let me see.", signature: "c2lnbmVkIGJ5IGFub3RoZXI=" };
const redacted = { type: "redacted_thinking", data: "c2VhbGVk" };
const text = { type: "text", text: "Hello" };
const toolUse = { type: "tool_use", id: "toolu_1", name: "run", input: { command: "ls -l" } };
const toolResult = { type: "tool_result", tool_use_id: "toolu_1", content: "total 0" };

const WITH_THINKING = messagesBody({
  system: "Be brief.",
  temperature: 1,
  unknown_field: [1.5, "é"],
  messages: [
    { role: "user", content: "Hi" },
    { role: "assistant", content: [thinking, text, toolUse] },
    { role: "user", content: [toolResult] },
    { role: "assistant", content: [redacted, thinking] },
    { role: "user", content: [{ type: "text", text: "And?", cache_control: { type: "ephemeral" } }] },
  ],
});

const WITHOUT_THINKING = {
  ...WITH_THINKING,
  messages: [
    { role: "user", content: "Hi" },
    { role: "assistant", content: [text, toolUse] },
    { role: "user", content: [toolResult] },
    { role: "user", content: [{ type: "text", text: "And?", cache_control: { type: "ephemeral" } }] },
  ],
};

const REFUSES: Behaviour = { kind: "ifThinking", then: foreignThinking() };

const bodiesOf = async ({ secret }: TestAccount) => (await upstream.log(secret)).map(({ body }) => body);

describe("thinking that another account signed", () => {
  it("goes on as it is where it is not refused", async () => {
    const { account, key } = await createPair();
    await upstream.recordBodies(account.secret);
    const response = await call(key, { body: WITH_THINKING });
    expect(response.status).toBe(200);
    expect(await bodiesOf(account)).toEqual([WITH_THINKING]);
    expect((await storyOf(key, response)).steps.map(({ kind }) => kind)).toEqual(["leased"]);
  });

  it.each([false, true])(
    "is left out once it is refused, and nothing else (stream: %s)",
    async (streamed) => {
      const { account, key } = await createPair();
      await upstream.recordBodies(account.secret);
      await upstream.set(account.secret, REFUSES);
      const response = await call(key, { body: { ...WITH_THINKING, stream: streamed } });
      expect(response.status).toBe(200);
      await response.text();
      expect(await bodiesOf(account)).toEqual([
        { ...WITH_THINKING, stream: streamed },
        { ...WITHOUT_THINKING, stream: streamed },
      ]);
      const { routing, attempts, outcome } = await requestView(key, response);
      expect(routing?.steps.at(-1)).toEqual({
        kind: "repaired",
        account: account.id,
        removed: "3 thinking blocks",
      });
      expect({ attempts, outcome }).toEqual({ attempts: 2, outcome: "completed" });
      expect((await accountView(account)).status?.cooldowns).toEqual([]);
    },
  );

  it("is refused no more than once: what is refused without it is the client's to know", async () => {
    const { account, key } = await createPair();
    await upstream.set(account.secret, foreignThinking());
    const response = await call(key, { body: WITH_THINKING });
    expect(response.status).toBe(400);
    expect((await upstream.statsOf(account.secret)).requests).toBe(2);
  });

  it("is whole again for the account that is tried after the one that refused it", async () => {
    const { accounts, key } = await createPool([{ priority: 1 }, { priority: 2 }]);
    const [first, second] = accounts;
    if (first === undefined || second === undefined) throw new Error("no accounts");
    await upstream.recordBodies(second.secret);
    await upstream.set(first.secret, { ...REFUSES, otherwise: overloaded() });
    expect((await call(key, { body: WITH_THINKING })).status).toBe(200);
    expect(await bodiesOf(second)).toEqual([WITH_THINKING]);
  });

  it("is left alone when the upstream refuses the request for another reason", async () => {
    const { account, key } = await createPair();
    await upstream.set(account.secret, {
      kind: "ifThinking",
      then: invalidRequest("max_tokens: must be greater than thinking.budget_tokens"),
      otherwise: answer(),
    });
    const response = await call(key, { body: WITH_THINKING });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { message: expect.stringContaining("budget_tokens") as string },
    });
    expect((await upstream.statsOf(account.secret)).requests).toBe(1);
    expect((await usageOf(key))[0]).toMatchObject({ outcome: "failed", status: 400, attempts: 1 });
  });

  it("is nothing that a refused request without any could do without", async () => {
    const { account, key } = await createPair();
    await upstream.set(account.secret, foreignThinking());
    expect((await call(key)).status).toBe(400);
    expect((await upstream.statsOf(account.secret)).requests).toBe(1);
  });
});
