/** The admin as an administrator uses it: a browser, the real relay, and our fake of the upstream. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Locator } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startStack, type Stack } from "../../scripts/local/stack.ts";
import { overloaded } from "../upstream/behaviour.ts";
import { startUpstream, type Upstream } from "../upstream/server.ts";
import { BROWSER, launchBrowser, visit, type Visit } from "./admin-browser.ts";

const MODEL = "claude-sonnet-4-5-20250929";
const TEAM_API_KEY = "sk-ant-api03-admin-e2e-team-0123456789";
/** A record is in the books at most 5 seconds after its request ended. */
const BOOKED_MS_MAX = 15_000;

let stateDir: string;
let upstream: Upstream;
let stack: Stack;
let adminUrl: string;
let browser: Browser;
let admin: Visit;

beforeAll(async () => {
  stateDir = mkdtempSync(join(tmpdir(), "edge-relay-admin-"));
  upstream = await startUpstream();
  stack = await startStack({ port: 0, adminPort: 0, stateDir, env: {}, admin: true });
  if (stack.adminUrl === null) throw new Error("the stack serves no admin");
  adminUrl = stack.adminUrl;
  browser = await launchBrowser();
  admin = await visit(browser, adminUrl);
});

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
  await upstream?.close();
  rmSync(stateDir, { recursive: true, force: true });
});

async function signIn({ page }: Visit, password: string): Promise<void> {
  await page.getByLabel("User name").fill(stack.adminUsername);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

async function openAndReadTile({ page }: Visit, name: string): Promise<string> {
  await page.goto("/");
  const tile = page.locator(".tiles > div").filter({ has: page.locator("dt", { hasText: name }) });
  return (await tile.locator("dd").first().innerText()).trim();
}

/** The text of a key that the page shows this one time. */
const readKey = async ({ page }: Visit): Promise<string> =>
  (await page.locator("figure code").first().innerText()).trim();

const ask = (key: string, model: string) =>
  relay(key, { model, max_tokens: 100, messages: [{ role: "user", content: "Hello" }] });

/** The times of the listed requests, newest first, once that many are listed; a click on one opens it. */
async function listedRequests({ page }: Visit, count: number): Promise<Locator> {
  const times = page.locator("tbody th").getByRole("button");
  await expect
    .poll(
      async () => {
        await page.getByRole("button", { name: "Refresh" }).click();
        return times.count();
      },
      { timeout: BOOKED_MS_MAX, interval: 500 },
    )
    .toBe(count);
  return times;
}

const relay = (key: string, body: object) =>
  fetch(`${stack.relayUrl}/v1/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", "x-api-key": key, "anthropic-version": "2023-06-01" },
    body: JSON.stringify(body),
  });

/** The tests below follow one another, as an administrator's first hour does. */
describe.skipIf(BROWSER === null)("the admin", () => {
  let key: string;

  it("leads whoever is not signed in to the sign-in page, with the headers that protect it", async () => {
    const response = await admin.page.goto("/accounts");
    expect(new URL(admin.page.url()).pathname).toBe("/login");
    const headers = response?.headers() ?? {};
    expect(headers["content-security-policy"]).toContain("default-src 'none'");
    expect(headers["x-frame-options"]).toBe("DENY");
    expect(headers["x-content-type-options"]).toBe("nosniff");
    expect(headers["cache-control"]).toBe("no-store");
  });

  it("refuses a wrong password and says so", async () => {
    await signIn(admin, "not the password");
    expect(await admin.page.getByRole("alert").innerText()).toContain("Wrong user name or password");
  });

  it("signs in, goes on to the page that was asked for, and hides the session from scripts", async () => {
    await signIn(admin, stack.adminPassword);
    await admin.page.waitForURL("**/accounts");
    expect(await admin.page.getByRole("heading", { name: "No accounts yet" }).isVisible()).toBe(true);
    const session = (await admin.page.context().cookies()).find(({ name }) => name === "edge_relay_session");
    expect(session).toMatchObject({ httpOnly: true, sameSite: "Strict" });
  });

  it("refuses a form that another site sends", async () => {
    const { page } = admin;
    const response = await page.request.post("/login", {
      headers: { origin: "https://elsewhere.test" },
      form: { username: stack.adminUsername, password: stack.adminPassword },
    });
    expect(response.status()).toBe(403);
  });

  it("adds an account with the form of its provider, and shows its credential masked", async () => {
    const { page } = admin;
    const apiKey = "sk-ant-api03-admin-e2e-secret-0123456789";
    await page.getByRole("link", { name: "Add account" }).click();
    await page.getByRole("link", { name: "Claude API key" }).click();
    await page.getByLabel("API key", { exact: true }).fill(apiKey);
    await page.getByLabel("Name", { exact: true }).fill("First <b>account</b>");
    await page.getByText("Addresses", { exact: true }).click();
    await page.getByLabel("Base URL").fill(upstream.url);
    await page.getByRole("button", { name: "Add account" }).click();
    await page.waitForURL("**/accounts/acc_*");
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe("First <b>account</b>");
    expect(await page.content()).not.toContain(apiKey);
    await page.getByRole("button", { name: "Test connection" }).click();
    await page.getByText("The account answers").waitFor();
  });

  it("names the field that is wrong and keeps what was entered", async () => {
    const { page } = admin;
    await page.getByLabel("Base URL").fill("https://user@elsewhere.test");
    await page.getByLabel("Name", { exact: true }).fill("First account");
    await page.getByRole("button", { name: "Save settings" }).click();
    await page.getByText("must not contain a query, a fragment or credentials").waitFor();
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("First account");
    await page.getByLabel("Base URL").fill(upstream.url);
    await page.getByRole("button", { name: "Save settings" }).click();
    await page.getByText("The settings are saved.").waitFor();
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toBe("First account");
  });

  it("shows a new key once, with what a client needs", async () => {
    const { page } = admin;
    await page.goto("/keys");
    await page.getByRole("link", { name: "Create key" }).click();
    await page.getByLabel("Name", { exact: true }).fill("laptop");
    await page.getByRole("button", { name: "Create key" }).click();
    await page.getByText("shown only this once").waitFor();
    key = await readKey(admin);
    expect(key).toMatch(/^cr_[0-9a-f]{64}$/);
    expect(await page.locator("main").innerText()).toContain(`export ANTHROPIC_AUTH_TOKEN="${key}"`);
    await page.getByRole("link", { name: "Settings of this key" }).click();
    await page.waitForURL("**/keys/key_*");
    expect(await page.content()).not.toContain(key);
    await page.goBack();
    expect(await page.content()).not.toContain(key);
  });

  it("lists a relayed request with all its figures", async () => {
    const { page } = admin;
    const response = await ask(key, MODEL);
    expect(response.status).toBe(200);
    const answer = (await response.json()) as { usage: { input_tokens: number; output_tokens: number } };

    await page.goto("/requests");
    await (await listedRequests(admin, 1)).click();
    const detail = page.locator("tr.detail");
    const figure = (name: string) =>
      detail.getByText(name, { exact: true }).locator("xpath=following-sibling::dd").innerText();
    expect(await figure("Input")).toBe(answer.usage.input_tokens.toLocaleString("en-US"));
    expect(await figure("Output")).toBe(answer.usage.output_tokens.toLocaleString("en-US"));
    expect(await figure("Attempts")).toBe("1");
    expect(await figure("Status")).toBe("200");
    expect(await figure("Error")).toBe("none");
    expect(await figure("Account")).toBe("First account");
  });

  it("filters requests by the address alone", async () => {
    const { page } = admin;
    await page.goto("/requests?model=no-such-model");
    expect(await page.getByText("No request matches these filters.").isVisible()).toBe(true);
    await page.goto(`/requests?model=${MODEL}&range=1h`);
    expect(await page.locator("tbody tr").count()).toBe(1);
  });

  it("sums the day up", async () => {
    expect(await openAndReadTile(admin, "Requests")).toBe("1");
    expect(await openAndReadTile(admin, "Cost")).toMatch(/^\$0\.\d+$/);
    expect(await openAndReadTile(admin, "Errors")).toBe("0");
    expect(await admin.page.getByRole("img", { name: /Requests per hour/ }).count()).toBe(1);
  });

  it("creates a key with limits, shows them in its form again, and how far each is used", async () => {
    const { page } = admin;
    await page.goto("/keys/new");
    await page.getByLabel("Name", { exact: true }).fill("limited");
    await page.getByText("Models", { exact: true }).click();
    await page.getByLabel("Blocked models").fill("*opus*\n*haiku*");
    await page.getByText("Budgets", { exact: true }).click();
    await page.getByLabel("Daily budget").fill("2.5");
    await page.getByRole("button", { name: "Create key" }).click();
    const limited = await readKey(admin);
    expect((await ask(limited, "claude-opus-4-1")).status).toBe(403);

    await page.getByRole("link", { name: "Settings of this key" }).click();
    await page.waitForURL("**/keys/key_*");
    expect(await page.getByLabel("Blocked models").inputValue()).toBe("*opus*\n*haiku*");
    expect(await page.getByLabel("Daily budget").inputValue()).toBe("2.5");
    expect(await page.getByLabel("Daily budget").isVisible()).toBe(true);
    expect(await page.getByLabel("Cost in dollars").isVisible()).toBe(false);
    const limits = page.getByRole("table", { name: "Limits" }).locator("tbody tr");
    expect(await limits.count()).toBe(1);
    expect(await limits.innerText()).toMatch(/Daily budget\s+\$0\.00 of \$2\.50\s+in \d+ (h|min|s)/);
  });

  it("puts an account with a model map into a group, and changes how the group chooses", async () => {
    const { page } = admin;
    await page.goto("/accounts/new");
    await page.getByRole("link", { name: "Claude API key" }).click();
    await page.getByLabel("API key", { exact: true }).fill(TEAM_API_KEY);
    await page.getByLabel("Name", { exact: true }).fill("Team account");
    await page.getByText("Groups and models").click();
    await page.getByLabel("Groups", { exact: true }).fill("team");
    await page.getByLabel("Model map").fill("claude-opus-4-1");
    await page.getByText("Addresses", { exact: true }).click();
    await page.getByLabel("Base URL").fill(upstream.url);
    await page.getByRole("button", { name: "Add account" }).click();
    await page.getByText("must be: requested = upstream").waitFor();
    await page.getByLabel("Model map").fill(`claude-opus-4-1 = ${MODEL}`);
    await page.getByLabel("API key", { exact: true }).fill(TEAM_API_KEY);
    await page.getByRole("button", { name: "Add account" }).click();
    await page.waitForURL("**/accounts/acc_*");
    expect(await page.getByLabel("Model map").isVisible()).toBe(true);
    expect(await page.getByLabel("Model map").inputValue()).toBe(`claude-opus-4-1 = ${MODEL}`);
    expect(await page.getByLabel("Queue length").isVisible()).toBe(false);

    await page.getByRole("link", { name: "Groups" }).click();
    await page.waitForURL("**/groups");
    const accountsOf = (group: string) =>
      page.getByRole("list", { name: `Accounts of ${group}` }).getByRole("link");
    expect(await accountsOf("Shared accounts").allInnerTexts()).toEqual(["First account"]);
    expect(await accountsOf("team").allInnerTexts()).toEqual(["Team account"]);
    const policy = page.getByRole("form", { name: "Settings of team" }).getByLabel("Policy", { exact: true });
    expect(await policy.inputValue()).toBe("rendezvous");
    await policy.selectOption("Least busy");
    await page.getByRole("button", { name: "Save the settings of team" }).click();
    await page.getByText("team: the settings are saved.").waitFor();
    expect(await policy.inputValue()).toBe("least_loaded");
    await page.reload();
    expect(await policy.inputValue()).toBe("least_loaded");
  });

  it("tells how a request was routed: what an account was asked for, why it failed, until when it rests", async () => {
    const { page } = admin;
    await page.goto("/keys/new");
    await page.getByLabel("Name", { exact: true }).fill("team laptop");
    await page.getByLabel("The accounts of a group").check();
    await page.getByLabel("Group", { exact: true }).fill("team");
    await page.getByRole("button", { name: "Create key" }).click();
    const team = await readKey(admin);
    expect((await ask(team, "claude-opus-4-1")).status).toBe(200);
    await upstream.control.next(TEAM_API_KEY, overloaded());
    expect((await ask(team, "claude-opus-4-1")).status).toBe(529);
    expect((await ask(team, "claude-opus-4-1")).ok).toBe(false);

    await page.goto("/requests");
    await page.getByLabel("Key", { exact: true }).selectOption("team laptop");
    await page.getByRole("button", { name: "Filter" }).click();
    await page.waitForURL("**/requests?key=key_*");
    const times = await listedRequests(admin, 3);
    const steps = page.getByRole("list", { name: "Routing" }).getByRole("listitem");
    await times.nth(2).click();
    await steps.first().waitFor();
    expect(await steps.allInnerTexts()).toEqual([`Team account took it, and was asked for ${MODEL}.`]);
    expect(await page.getByText("One candidate: Team account.").isVisible()).toBe(true);
    await times.nth(1).click();
    await page.getByText("“The upstream answered HTTP 529.”").waitFor();
    expect((await steps.allInnerTexts())[1]).toContain("Team account could not serve it: overloaded.");
    await times.nth(0).click();
    await page.getByText("Team account refused: overloaded, until 20").waitFor();
  });

  it("stops a key that is disabled", async () => {
    const { page } = admin;
    await page.goto("/keys");
    await page.getByRole("button", { name: "Disable laptop" }).click();
    await page.getByText("laptop is disabled.").waitFor();
    const response = await relay(key, { model: MODEL, max_tokens: 1, messages: [] });
    expect(response.status).toBeGreaterThanOrEqual(401);
    expect(response.status).toBeLessThanOrEqual(403);
  });

  it("works without scripts", async () => {
    const plain = await visit(browser, adminUrl, false);
    await plain.page.goto("/keys");
    await signIn(plain, stack.adminPassword);
    await plain.page.waitForURL("**/keys");
    await plain.page.getByRole("button", { name: "Enable laptop" }).click();
    await plain.page.getByText("laptop is enabled.").waitFor();
    await plain.page.goto("/requests");
    await plain.page.locator("tbody th a").first().click();
    await plain.page.getByText("Cache write, 1 hour").waitFor();
    await plain.page.getByText("Team account refused: overloaded, until 20").waitFor();
    await plain.page.context().close();
  });

  it("signs out, and then shows nothing more", async () => {
    const { page } = admin;
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.waitForURL("**/login");
    await page.goto("/keys");
    expect(new URL(page.url()).pathname).toBe("/login");
  });

  it("never broke its content security policy, nor threw an error", () => {
    expect(admin.complaints).toEqual([]);
  });
});
