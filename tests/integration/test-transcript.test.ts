/** The test of an account as it happens: events in order, nothing secret in them, and no lease left behind. */
import { describe, expect, it } from "vitest";
import { accountView, admin, createAccount, eventually, unique, upstream } from "./setup/relay.ts";
import { answer } from "../upstream/behaviour.ts";
import { adminStream, eventsIn } from "./setup/transcripts.ts";

interface Heard {
  readonly event: string;
  readonly data: Record<string, unknown>;
}
const test = async (account: { readonly id: string }, body?: unknown): Promise<Heard[]> => {
  const response = await adminStream(`/accounts/${account.id}/test`, body);
  expect(response.headers.get("content-type")).toContain("text/event-stream");
  return eventsIn(await response.text());
};

const noLease = (account: { readonly id: string }) =>
  eventually(
    () => accountView(account),
    ({ status }) => status?.activeLeases === 0,
  );

const OPENAI = { provider: "openai-responses", credential: { apiKey: "" } };
const kinds = [
  ["claude-console", {}],
  ["openai-responses", OPENAI],
  ["openai-chat", { ...OPENAI, provider: "openai-chat" }],
  ["gemini-api", { ...OPENAI, provider: "gemini-api" }],
] as const;

describe("a test as an event stream", () => {
  it.each(kinds)("of %s tells request, status, text, usage and end", async (_, overrides) => {
    const secret = unique("sk-ant-test");
    const account = await createAccount({ ...overrides, credential: { apiKey: secret } });
    const events = await test(account, { prompt: "Say hello", maxTokens: 50 });
    const names = events.map(({ event }) => event);
    expect(names.slice(0, 2)).toEqual(["start", "status"]);
    expect(names).toContain("content");
    expect(names).toContain("usage");
    expect(names).not.toContain("error");
    expect(events.at(-1)).toMatchObject({ event: "done", data: { ok: true } });
    expect(JSON.stringify(events)).not.toContain(secret);
    await noLease(account);
  });

  it("asks for the model and the prompt that were chosen, in both forms of the answer", async () => {
    const account = await createAccount();
    await upstream.order({ subject: account.secret, recordBodies: true });
    const options = { model: "claude-opus-4-5", prompt: "Who are you?", maxTokens: 7 };
    const [start] = await test(account, options);
    expect(start).toMatchObject({ event: "start", data: { model: "claude-opus-4-5" } });
    const whole = await (await admin("POST", `/accounts/${account.id}/test`, options)).json();
    expect(whole).toMatchObject({ ok: true, status: 200, code: null });
    const bodies = (await upstream.log(account.secret)).map(({ body }) => body);
    expect(bodies).toHaveLength(2);
    for (const body of bodies) {
      expect(body).toMatchObject({ model: "claude-opus-4-5", max_tokens: 7 });
      expect(JSON.stringify(body)).toContain("Who are you?");
    }
  });

  it("C3 masks the credential in what the upstream says", async () => {
    const account = await createAccount();
    await upstream.set(account.secret, {
      kind: "status",
      status: 403,
      body: { error: { type: "permission_error", message: `key ${account.secret} is bad` } },
    });
    const events = await test(account);
    expect(events.map(({ event }) => event)).toEqual(["start", "status", "error", "done"]);
    expect(events.at(-1)).toMatchObject({ data: { ok: false } });
    expect(JSON.stringify(events)).not.toContain(account.secret);
    const json = await (await admin("POST", `/accounts/${account.id}/test`)).text();
    expect(json).toContain('"ok":false');
    expect(json).not.toContain(account.secret);
    await noLease(account);
  });

  it("says that an account cannot be used, and that it cannot be reached", async () => {
    const off = await createAccount({ enabled: false });
    expect((await test(off)).map(({ event }) => event)).toEqual(["error", "done"]);
    const dead = await createAccount({ baseUrl: "http://127.0.0.1:1" });
    const events = await test(dead);
    expect(events.map(({ event }) => event)).toEqual(["start", "error", "done"]);
    await noLease(dead);
  });

  it("gives its lease back when the admin leaves in the middle", async () => {
    const account = await createAccount();
    await upstream.set(account.secret, { kind: "gate", gate: unique("gate"), then: answer() });
    const left = new AbortController();
    const response = await adminStream(`/accounts/${account.id}/test`, undefined, left.signal);
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    left.abort();
    await noLease(account);
  });

  it.each([{ prompt: "" }, { prompt: "x".repeat(2001) }, { maxTokens: 0 }, { other: 1 }])(
    "refuses the options %j",
    async (options) => {
      const account = await createAccount();
      expect((await admin("POST", `/accounts/${account.id}/test`, options)).status).toBe(400);
    },
  );
});
