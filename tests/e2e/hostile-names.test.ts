/** Names, remarks, models and User-Agents that are scripts: the admin shows them, and runs none. Security case C4. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startStack, type Stack } from "../../scripts/local/stack.ts";
import { startUpstream, type Upstream } from "../upstream/server.ts";
import { BROWSER, launchBrowser, visit, type Visit } from "./admin-browser.ts";

/** Each would call `pwned`, if a page took it for more than text. */
const SCRIPTS = [
  "<script>pwned()</script>",
  "<img src=x onerror=pwned()>",
  '"><svg onload=pwned()>',
  "{@html '<img src=x onerror=pwned()>'}",
  "javascript:pwned()",
];
const MODEL = "<img src=x onerror=pwned()>";
/** A record is in the books at most 5 seconds after its request ended. */
const BOOKED_MS = 6000;

let stateDir: string;
let upstream: Upstream;
let stack: Stack;
let browser: Browser;
let admin: Visit;
let token: string;

async function api<Answer>(method: string, path: string, body: unknown): Promise<Answer> {
  const response = await fetch(`${stack.relayUrl}/admin${path}`, {
    method,
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${await response.text()}`);
  return (await response.json()) as Answer;
}

beforeAll(async () => {
  stateDir = mkdtempSync(join(tmpdir(), "edge-relay-names-"));
  upstream = await startUpstream();
  stack = await startStack({ port: 0, adminPort: 0, stateDir, env: {}, admin: true });
  const credentials = { username: stack.adminUsername, password: stack.adminPassword };
  ({ token } = await api<{ token: string }>("POST", "/login", credentials));
  browser = await launchBrowser();
  admin = await visit(browser, stack.adminUrl ?? "");
});

afterAll(async () => {
  await browser?.close();
  await stack?.stop();
  await upstream?.close();
  rmSync(stateDir, { recursive: true, force: true });
});

describe.skipIf(BROWSER === null)("C4: a name that is a script", () => {
  it("is text on every page that shows it", async () => {
    const group = SCRIPTS[1] ?? "";
    const accounts = await Promise.all(
      SCRIPTS.map((name) =>
        api<{ id: string }>("POST", "/accounts", {
          name,
          provider: "claude-console",
          credential: { apiKey: "sk-ant-hostile" },
          baseUrl: upstream.url,
          groups: [group],
        }),
      ),
    );
    const keys = await Promise.all(
      SCRIPTS.map((name) =>
        api<{ id: string; key: string }>("POST", "/keys", {
          name,
          description: name,
          tags: [name],
          binding: { kind: "group", group },
        }),
      ),
    );
    for (const { key } of keys) {
      const response = await fetch(`${stack.relayUrl}/v1/messages`, {
        method: "POST",
        headers: { "content-type": "application/json", "x-api-key": key, "user-agent": SCRIPTS[0] ?? "" },
        body: JSON.stringify({ model: MODEL, max_tokens: 10, messages: [{ role: "user", content: "x" }] }),
      });
      await response.text();
    }
    await new Promise((resolve) => setTimeout(resolve, BOOKED_MS));

    const { page, complaints } = admin;
    let calls = 0;
    await page.exposeFunction("pwned", () => {
      calls++;
    });
    await page.goto("/login");
    await page.getByLabel("User name").fill(stack.adminUsername);
    await page.getByLabel("Password").fill(stack.adminPassword);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.waitForURL((url) => url.pathname !== "/login");
    const places = [
      "/",
      "/accounts",
      "/keys",
      "/requests",
      ...accounts.map(({ id }) => `/accounts/${id}`),
      ...keys.map(({ id }) => `/keys/${id}`),
    ];
    let shown = 0;
    for (const place of places) {
      await page.goto(place);
      await page.waitForLoadState("networkidle");
      const text = await page.locator("body").innerText();
      const values = await page
        .locator("input, textarea")
        .evaluateAll((fields) => fields.map((field) => (field as HTMLInputElement).value).join("\n"));
      if (SCRIPTS.some((script) => text.includes(script) || values.includes(script))) shown++;
      expect(await page.locator("body img[src='x'], body svg[onload]").count(), place).toBe(0);
    }
    expect(shown).toBeGreaterThanOrEqual(places.length - 2);
    expect(calls).toBe(0);
    expect(complaints).toEqual([]);
  });
});
