/** Every kind of channel at a receiver that looks at what it gets, and what channels must not give away or reach. */
import { afterEach, describe, expect, it } from "vitest";
import type { ChannelView } from "../../worker/domain/notification-channel.ts";
import { MAIL_USER, RECEIVER_KINDS, SIGNING_SECRET } from "../receivers/orders.ts";
import {
  createBox,
  createChannel,
  deleteChannels,
  receivedIn,
  receivers,
  SETTINGS,
  testChannel,
} from "./setup/notifications.ts";
import { admin, env, relayWith, unique } from "./setup/relay.ts";

afterEach(deleteChannels);

const { mail } = await receivers.receivers();

describe.each(RECEIVER_KINDS)("a channel to %s", (kind) => {
  it("sends what its receiver takes, once", async () => {
    const { box, channel } = await createBox(kind);
    const receipt = await testChannel(channel);
    const received = await receivers.received(box);
    expect(received.map(({ problem }) => problem)).toEqual([null]);
    expect(receipt).toMatchObject({ ok: true, message: "The receiver took the message." });
    expect(JSON.stringify(received[0]?.body)).toContain("Test notification");
  });

  it("knows a refusal, says why, and gives no secret back", async () => {
    const { box, channel } = await createBox(kind);
    await receivers.setMood(box, { kind: "echoes" });
    const receipt = await testChannel(channel);
    expect(receipt).toMatchObject({ ok: false, status: 400 });
    expect(receipt.message).toContain("It said: ");
    expect(Object.keys(channel.secrets)).not.toEqual([]);
    for (const secret of Object.keys(channel.secrets)) {
      expect(receipt.message).not.toContain(SETTINGS[kind](box)[secret]);
    }
  });

  it("follows no redirect", async () => {
    const { box, channel } = await createBox(kind);
    await receivers.setMood(box, { kind: "redirects" });
    expect(await testChannel(channel)).toMatchObject({ ok: false, status: 307 });
    expect(await receivers.received("elsewhere")).toEqual([]);
  });

  it("tells a receiver that is not there", async () => {
    const { box, channel } = await createBox(kind);
    await receivers.setMood(box, { kind: "down" });
    const receipt = await testChannel(channel);
    expect(receipt).toMatchObject({ ok: false, status: null, message: "The receiver could not be reached." });
  });
});

describe("a refusal inside a 200", () => {
  it.each([
    ["telegram", { chatId: "1", botToken: "123456:telegram-token-of-the-tests" }, "Forbidden"],
    ["feishu", { secret: "another-secret-of-somebody" }, "sign match fail"],
    ["dingtalk", { secret: "another-secret-of-somebody" }, "sign not match"],
    ["bark", { deviceKey: "x" }, "failed to get device token"],
  ] as const)("is seen at %s", async (kind, change, said) => {
    const settings = { ...SETTINGS[kind](unique("box")), ...change };
    const receipt = await testChannel(await createChannel(kind, wrongPath(settings)));
    expect(receipt).toMatchObject({ ok: false, status: 200 });
    expect(receipt.message).toContain(said);
  });
});

/** Servers get a path that the receiver's rules do not know. */
const wrongPath = (settings: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(
    Object.entries(settings).map(([name, value]) =>
      name === "serverUrl" || name === "apiBaseUrl" ? [name, `${String(value)}/wrong`] : [name, value],
    ),
  );

describe("a channel to a mail server", () => {
  const to = (box: string, port: number, overrides: Record<string, unknown> = {}) => ({
    host: "localhost",
    port,
    ...MAIL_USER,
    from: "relay@example.com",
    to: [`${box}@example.com`],
    ...overrides,
  });

  it.each([
    ["starttls", mail.starttls],
    ["tls", mail.tls],
  ] as const)("signs in inside TLS and sends, by %s", async (security, port) => {
    const box = unique("box");
    const channel = await createChannel("email", to(box, port, { security }), { name: "Über 日本 <b>" });
    expect(await testChannel(channel)).toMatchObject({ ok: true });
    const [message] = await receivedIn(box);
    const text = String(message?.body);
    expect(text).toContain("Subject: Test notification\r\n");
    expect(text).toMatch(/^Message-ID: <ntc_\w+@example\.com>\r$/m);
    const body = atob(text.slice(text.indexOf("\r\n\r\n")).replace(/\s/g, ""));
    const decoded = new TextDecoder().decode(Uint8Array.from(body, (char) => char.charCodeAt(0)));
    expect(decoded).toContain('This channel is "Über 日本 <b>".');
  });

  it("sends nothing, its password least of all, where STARTTLS is not offered", async () => {
    const channel = await createChannel("email", to(unique("box"), mail.plain, { security: "starttls" }));
    const receipt = await testChannel(channel);
    expect(receipt).toMatchObject({ ok: false });
    expect(receipt.message).toBe("The mail server offers no STARTTLS: use its TLS port (465) instead.");
  });

  it("signs in to no server that has another's certificate", async () => {
    const box = unique("box");
    const channel = await createChannel("email", to(box, mail.wrong, { security: "starttls" }));
    expect(await testChannel(channel)).toMatchObject({ ok: false });
    expect(await receivers.received(box)).toEqual([]);
  });

  it("sends without a sign-in where the server wants none", async () => {
    const box = unique("box");
    const open = { security: "none", username: null, password: null };
    const channel = await createChannel("email", to(box, mail.plain, open));
    expect(await testChannel(channel)).toMatchObject({ ok: true });
    expect(await receivedIn(box)).toHaveLength(1);
  });

  it.each([
    ["a wrong password", { password: "wrong-password" }, "refused the sign-in (535)"],
    ["a recipient nobody knows", { to: ["unknown-somebody@example.com"] }, "refused the recipient"],
  ])("says that the server refused %s", async (_, change, said) => {
    const channel = await createChannel("email", to(unique("box"), mail.starttls, change));
    const receipt = await testChannel(channel);
    expect(receipt.ok).toBe(false);
    expect(receipt.message).toContain(said);
    expect(receipt.message).not.toContain("password");
  });

  it("says that nobody is there, and that what is there is no mail server", async () => {
    const nobody = await createChannel(
      "email",
      to(unique("box"), 1, { security: "none", username: null, password: null }),
    );
    expect((await testChannel(nobody)).message).toContain("could not be reached");
    const port = Number(new URL(env.TEST_RECEIVERS_URL).port);
    const web = await createChannel("email", to(unique("box"), port, { security: "tls" }));
    expect((await testChannel(web)).ok).toBe(false);
  });

  it.each([
    [{ security: "none" }, "settings.security"],
    [{ password: null }, "settings.password"],
    [{ port: 25 }, "settings.port"],
    [{ to: ["a@example.com\r\nBcc: b@example.com"] }, "settings.to"],
    [{ host: "mail.example/..\r\n" }, "settings.host"],
  ])("cannot have %j", async (change, field) => {
    const settings = to("box", 587, change);
    const response = await admin("POST", "/notifications", { name: "x", type: "email", settings });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(field);
  });
});

describe("the admin API of channels", () => {
  it("shows secrets masked only, in every answer, and keeps none in D1", async () => {
    const { box, channel } = await createBox("webhook");
    const answers = [
      JSON.stringify(channel),
      await (await admin("GET", "/notifications")).text(),
      await (await admin("PATCH", `/notifications/${channel.id}`, { enabled: false })).text(),
      JSON.stringify((await env.DB.prepare("SELECT * FROM notification_channel").all()).results),
    ];
    for (const text of answers) {
      expect(text).toContain(channel.id);
      expect(text).not.toContain(box);
      expect(text).not.toContain(SIGNING_SECRET);
    }
    expect(channel.secrets).toEqual({
      url: `${new URL(env.TEST_RECEIVERS_URL).origin}/…`,
      secret: `${SIGNING_SECRET.slice(0, 6)}…${SIGNING_SECRET.slice(-4)}`,
    });
  });

  it("changes what is given, and keeps the rest with its secrets", async () => {
    const { box, channel } = await createBox("telegram");
    const settings = { chatId: "@elsewhere" };
    const response = await admin("PATCH", `/notifications/${channel.id}`, { events: ["test"], settings });
    expect(await response.json<ChannelView>()).toMatchObject({
      name: channel.name,
      events: ["test"],
      settings: { ...channel.settings, chatId: "@elsewhere" },
      secrets: channel.secrets,
    });
    expect(await testChannel(channel)).toMatchObject({ ok: true });
    const [message] = await receivedIn(box);
    expect(message?.body).toMatchObject({ chat_id: "@elsewhere" });
  });

  it("gives no stored secret to a place that it was not entered for", async () => {
    const { channel } = await createBox("telegram");
    const other = env.TEST_RECEIVERS_URL.replace("127.0.0.1", "localhost");
    const settings = { apiBaseUrl: `${other}/telegram/thief` };
    const refused = await admin("PATCH", `/notifications/${channel.id}`, { settings });
    expect(refused.status).toBe(400);
    expect(await refused.text()).toContain("settings.botToken: enter it again");
    await testChannel(channel);
    expect(await receivers.received("thief")).toEqual([]);
    const botToken = "123456:telegram-token-of-the-tests";
    const entered = { settings: { ...settings, botToken } };
    expect((await admin("PATCH", `/notifications/${channel.id}`, entered)).status).toBe(200);
  });

  it.each([
    ["an unknown type", { type: "pigeon", settings: {} }, "type: must be one of webhook"],
    ["no address", { type: "slack", settings: {} }, "settings.url"],
    ["another scheme", { type: "slack", settings: { url: "file:///etc/passwd" } }, "settings.url"],
    [
      "a short secret",
      { type: "webhook", settings: { url: "https://a.example/", secret: "x" } },
      "settings.secret",
    ],
    [
      "a bot's token with a path in it",
      { type: "telegram", settings: { botToken: "1:../x", chatId: "1" } },
      "settings.botToken",
    ],
    ["an unknown event", { type: "slack", settings: {}, events: ["party"] }, "events"],
  ])("refuses %s", async (_, input, said) => {
    const response = await admin("POST", "/notifications", { name: "x", ...input });
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(said);
  });

  it("deletes a channel with its secrets, and then knows it no more", async () => {
    const { channel } = await createBox("slack");
    expect((await admin("DELETE", `/notifications/${channel.id}`)).status).toBe(204);
    for (const [method, path] of [
      ["GET", ""],
      ["DELETE", ""],
      ["POST", "/test"],
    ] as const) {
      expect((await admin(method, `/notifications/${channel.id}${path}`)).status).toBe(404);
    }
  });

  it("describes every type, so that a form can be drawn of it", async () => {
    const { items } = await (
      await admin("GET", "/notifications/types")
    ).json<{
      items: { id: string; settings: { properties: Record<string, unknown> }; secrets: string[] }[];
    }>();
    expect(items.map(({ id }) => id).toSorted()).toEqual([...RECEIVER_KINDS, "email"].toSorted());
    for (const { settings, secrets } of items) {
      expect(Object.keys(settings.properties)).toEqual(expect.arrayContaining(secrets));
    }
  });

  it("asks who is there", async () => {
    const response = await relayWith({})("/admin/notifications");
    expect(response.status).toBe(401);
  });
});

describe("a deployment that allows no private addresses", () => {
  it.each([
    ["slack", { url: "https://127.0.0.1/x" }],
    ["slack", { url: "https://[::1]/x" }],
    ["slack", { url: "https://2130706433/x" }],
    ["webhook", { url: "https://169.254.169.254/latest", secret: SIGNING_SECRET }],
    ["discord", { url: "http://discord.com/x" }],
    ["telegram", { botToken: "123456:abcdefghijkl", chatId: "1", apiBaseUrl: "https://localhost" }],
    ["bark", { deviceKey: "key", serverUrl: "https://10.0.0.1" }],
    ["ntfy", { topic: "t", serverUrl: "https://ntfy.internal" }],
    ["email", { host: "127.0.0.1", from: "a@example.com", to: ["b@example.com"] }],
    ["email", { host: "::1", from: "a@example.com", to: ["b@example.com"] }],
  ] as const)("refuses %s at %j", async (type, settings) => {
    const { check } = await import("../../durable-objects/notifier/configure.ts");
    const id = "chn_00000000" as ChannelView["id"];
    const result = await check({ id, type, before: null, entered: settings }, {}, false);
    expect(result.kind).toBe("invalid");
    expect(result).toMatchObject({ message: expect.stringMatching(/private network|https:\/\//) as string });
    expect(await check({ id, type, before: null, entered: settings }, {}, true)).toMatchObject({
      kind: "ok",
    });
  });
});
