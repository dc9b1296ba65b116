/** The live feed, as a page or a program sees it. */
import { evictDurableObject, runDurableObjectAlarm } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { feedMessageSchema, type FeedMessage } from "../../worker/domain/feed.ts";
import { login, PASSWORD, createPerson } from "./setup/people.ts";
import { call, createPair, env, eventually, fetchRelay, usageOf } from "./setup/relay.ts";

const feed = () => env.FEED.get(env.FEED.idFromName("feed"));

const open = new Set<WebSocket>();

async function tokenOf(role: "user" | "viewer"): Promise<string> {
  const { username } = await createPerson(role);
  return (await (await login(username, PASSWORD)).json<{ token: string }>()).token;
}

const upgrade = (path: string, headers: Record<string, string>) =>
  fetchRelay(`/admin/feed${path}`, { headers: { upgrade: "websocket", ...headers } });

function listen(response: Response): FeedMessage[] {
  const { webSocket } = response;
  if (webSocket === null) throw new Error(`no WebSocket: ${String(response.status)}`);
  const messages: FeedMessage[] = [];
  webSocket.addEventListener("message", ({ data }) => {
    messages.push(feedMessageSchema.parse(JSON.parse(String(data))));
  });
  webSocket.accept();
  open.add(webSocket);
  return messages;
}

async function watch(): Promise<FeedMessage[]> {
  return listen(await upgrade("", { authorization: `Bearer ${await tokenOf("viewer")}` }));
}

const requestsIn = (messages: readonly FeedMessage[]) =>
  messages.flatMap((message) => (message.type === "requests" ? message.items : []));

/** Objects that were told that nobody looks ask again by now. */
const laterOn = () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(Date.now() + 11_000);
};

afterEach(async () => {
  vi.useRealTimers();
  for (const socket of open) socket.close(1000);
  open.clear();
  await eventually(
    async () => {
      const response = await runDurableObjectAlarm(feed());
      return response;
    },
    (ran) => !ran,
  );
});

describe("GET /admin/feed", () => {
  it("shows each request that ends, without its content", async () => {
    const messages = await watch();
    laterOn();
    const { account, key } = await createPair();
    expect((await call(key)).status).toBe(200);
    const [record] = await usageOf(key);
    const items = await eventually(
      async () => requestsIn(messages),
      (found) => found.length > 0,
    );
    expect(items).toEqual([
      {
        id: record?.requestId,
        keyId: key.id,
        keyName: key.name,
        ownerId: null,
        account: account.id,
        model: record?.model,
        status: 200,
        outcome: "completed",
        tokens: expect.any(Number) as number,
        cost: record?.cost,
        endedAt: record?.endedAt,
        durationMs: (record?.endedAt ?? 0) - (record?.startedAt ?? 0),
      },
    ]);
    expect(JSON.stringify(messages)).not.toMatch(/Hello|sk-ant|cr_/);
  });

  it("begins with figures, and goes on after the object was put away", async () => {
    const messages = await watch();
    await eventually(
      async () => messages.length,
      (count) => count > 0,
    );
    await evictDurableObject(feed());
    expect(await runDurableObjectAlarm(feed())).toBe(true);
    await eventually(
      async () => messages.filter(({ type }) => type === "metrics").length,
      (count) => count >= 2,
    );
    laterOn();
    const { key } = await createPair();
    await call(key);
    await usageOf(key);
    await eventually(
      async () => requestsIn(messages).map(({ keyId }) => keyId),
      (ids) => ids.includes(key.id),
    );
    await runDurableObjectAlarm(feed());
    const last = await eventually(
      async () => messages.at(-1),
      (message) => message?.type === "metrics" && message.requests > 0,
    );
    expect(last).toMatchObject({ requests: 1, failed: 0, watchers: 1 });
  });

  it("opens once with a ticket, from the origin that asked for it", async () => {
    const authorization = `Bearer ${await tokenOf("viewer")}`;
    const origin = "https://admin.test";
    const issue = async () => {
      const response = await fetchRelay("/admin/feed/tickets", {
        method: "POST",
        headers: { authorization, origin },
      });
      return (await response.json<{ ticket: string }>()).ticket;
    };
    const ticket = await issue();
    listen(await upgrade(`?ticket=${ticket}`, { origin }));
    expect((await upgrade(`?ticket=${ticket}`, { origin })).status).toBe(401);
    const stolen = await issue();
    expect((await upgrade(`?ticket=${stolen}`, { origin: "https://evil.test" })).status).toBe(401);
    expect((await upgrade(`?ticket=${stolen}`, { origin })).status).toBe(401);
  });

  it("is closed to other sites' pages, to users without the role, and to what is no WebSocket", async () => {
    const authorization = `Bearer ${await tokenOf("viewer")}`;
    expect((await upgrade("", { authorization, origin: "https://evil.test" })).status).toBe(403);
    expect((await upgrade("", { authorization: `Bearer ${await tokenOf("user")}` })).status).toBe(403);
    expect((await upgrade("", {})).status).toBe(401);
    expect((await fetchRelay("/admin/feed", { headers: { authorization } })).status).toBe(426);
  });

  it("ends a connection when its time is up", async () => {
    const response = await upgrade("", { authorization: `Bearer ${await tokenOf("viewer")}` });
    listen(response);
    const closed = new Promise<number>((resolve) => {
      response.webSocket?.addEventListener("close", ({ code }) => {
        resolve(code);
      });
    });
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + 3_600_001);
    await runDurableObjectAlarm(feed());
    expect(await closed).toBe(4000);
  });

  it("costs nothing while nobody looks: one question in ten seconds, and no alarm", async () => {
    laterOn();
    const stub = feed() as unknown as { publish(events: readonly [], left: number): Promise<object> };
    expect(await stub.publish([], 0)).toEqual({ watched: false, quietMs: 10_000 });
    expect(await runDurableObjectAlarm(feed())).toBe(false);
  });
});
