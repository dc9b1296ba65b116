/** A Chromium that talks to this machine only, and remembers what its pages complained about. */
import { existsSync } from "node:fs";
import { chromium, type Browser, type Page } from "playwright-core";

/** Where Debian, other distributions and macOS put a Chromium; CHROMIUM_PATH goes first. */
const EXECUTABLES = [
  process.env["CHROMIUM_PATH"] ?? "",
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
];

/** The browser to drive; null on a machine without one, where these tests cannot run. */
export const BROWSER = EXECUTABLES.find((path) => path !== "" && existsSync(path)) ?? null;
/** Without these Chromium calls home: updates, sync, hints, media routing; and any name but loopback would resolve. */
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--disable-default-apps",
  "--disable-domain-reliability",
  "--metrics-recording-only",
  "--disable-features=OptimizationHints,MediaRouter,Translate",
  "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
];
const PAGE_TIMEOUT_MS = 20_000;
/** Chromium reports every answer of 400 and above; those are the pages' business, not a defect. */
const REFUSED_ANSWER = "Failed to load resource";

export const launchBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: BROWSER ?? "", headless: true, args: FLAGS });

export interface Visit {
  readonly page: Page;
  /** Script errors and violations of the content security policy. */
  readonly complaints: readonly string[];
}

export async function visit(browser: Browser, baseURL: string, javaScriptEnabled = true): Promise<Visit> {
  const context = await browser.newContext({ baseURL, javaScriptEnabled });
  context.setDefaultTimeout(PAGE_TIMEOUT_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    const isDefect = message.type() === "error" && !message.text().startsWith(REFUSED_ANSWER);
    if (isDefect) complaints.push(`${page.url()}: ${message.text()}`);
  });
  return { page, complaints };
}
