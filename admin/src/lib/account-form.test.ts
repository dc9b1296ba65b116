import { describe, expect, it } from "vitest";
import {
  FORM_NAMES,
  echoAccount,
  formNameOf,
  readAccount,
  valuesOf,
  type AccountOptions,
} from "./account-form";
import { BLANK_VALUES, settingsFormSchema, signInFormSchema } from "./account-schema";
import { BOXES, problemsOf } from "./form-text";

const DEFAULTS = signInFormSchema.parse({ name: "blank" });

/** An account of which every option differs from its default. */
const FULL: AccountOptions = {
  name: "first",
  baseUrl: "https://upstream.test/v1",
  tokenUrl: "https://tokens.test",
  priority: 1,
  weight: 10,
  maxConcurrency: 4,
  groups: ["night", "team"],
  models: ["claude-*", "other"],
  modelMap: { "claude-opus-4-1": "claude-sonnet-4-5", "*": "claude-haiku-4-5" },
  queueLength: 0,
  queueMultiple: 1.5,
  queueTimeoutMs: 2500,
  userTurns: { delayMs: 0, timeoutMs: 1500 },
  proxy: { type: "socks5", host: "proxy.test", port: 1080, username: "me", password: null },
  stopOnWarning: true,
  cooldownSeconds: { rate_limited: 0, network: 5, model: 86_400 },
};

/** What a browser sends for a form that shows these values: a field each, and for a box its name and perhaps a check. */
function sent(values: Readonly<Record<string, string>>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(values)) {
    const isBox = name === "userTurns" || name === "stopOnWarning";
    if (isBox) form.append(BOXES, name);
    if (!isBox || value !== "") form.append(name, value);
  }
  return form;
}

const created = (form: FormData) => signInFormSchema.parse(readAccount(form));
const changed = (form: FormData) => settingsFormSchema.parse(readAccount(form));

/** What is sent on to the relay: JSON does not have what is undefined. */
const asJson = (patch: object): unknown => JSON.parse(JSON.stringify(patch));

describe("readAccount", () => {
  it("reads back every option of an account that valuesOf put into the form", () => {
    expect(created(sent(valuesOf(FULL)))).toEqual({ ...FULL, enabled: true });
    expect(changed(sent(valuesOf(FULL)))).toEqual(FULL);
  });

  it("is tried with a value of its own for every option there is", () => {
    const atDefault = Object.entries(DEFAULTS).filter(
      ([name, value]) =>
        name !== "enabled" && JSON.stringify(value) === JSON.stringify(FULL[name as keyof AccountOptions]),
    );
    expect(atDefault).toEqual([]);
  });

  it("gives the schema's defaults for the form of a new account when only the name is entered", () => {
    expect(created(sent({ ...BLANK_VALUES, name: "blank" }))).toEqual({
      ...DEFAULTS,
      baseUrl: null,
      tokenUrl: null,
    });
  });

  it("changes nothing that the form does not have", () => {
    expect(asJson(changed(sent({ name: "renamed" })))).toEqual({ name: "renamed" });
    expect(asJson(changed(sent({ priority: "7", stopOnWarning: "" })))).toEqual({
      priority: 7,
      stopOnWarning: false,
    });
  });

  it("puts back to its default what was emptied or unchecked", () => {
    const emptied = Object.fromEntries(Object.keys(valuesOf(FULL)).map((name) => [name, ""]));
    expect(changed(sent({ ...emptied, name: "first" }))).toEqual({
      name: "first",
      baseUrl: null,
      tokenUrl: null,
      groups: [],
      models: [],
      modelMap: {},
      queueTimeoutMs: null,
      userTurns: null,
      proxy: null,
      stopOnWarning: false,
      cooldownSeconds: {},
    });
  });
});

describe("echoAccount", () => {
  it("brings a refused form back as it was", () => {
    expect(echoAccount(sent(valuesOf(FULL)))).toEqual(valuesOf(FULL));
    expect(echoAccount(sent(BLANK_VALUES))).toEqual(BLANK_VALUES);
  });

  it("says nothing of what the form does not have", () => {
    expect(echoAccount(sent({ name: "", stopOnWarning: "" }))).toEqual({ name: "", stopOnWarning: "" });
  });
});

describe("formNameOf", () => {
  const problemsWith = (entered: Readonly<Record<string, string>>) => {
    const { error } = settingsFormSchema.safeParse(
      readAccount(sent({ ...BLANK_VALUES, name: "first", ...entered })),
    );
    return Object.keys(problemsOf(error?.issues ?? [], formNameOf));
  };

  it.each([
    ["name", { name: "" }],
    ["priority", { priority: "0" }],
    ["groups", { groups: "x".repeat(101) }],
    ["models", { models: "x".repeat(201) }],
    ["modelMap", { modelMap: "claude-opus-4-1" }],
    ["modelMap", { modelMap: `claude-opus-4-1 = ${"x".repeat(201)}` }],
    ["baseUrl", { baseUrl: "elsewhere" }],
    ["queueLength", { queueLength: "1001" }],
    ["queueMultiple", { queueMultiple: "-1" }],
    ["queueTimeoutSeconds", { queueTimeoutSeconds: "601" }],
    ["userTurnDelayMs", { userTurns: "on", userTurnDelayMs: "" }],
    ["userTurnTimeoutSeconds", { userTurns: "on", userTurnTimeoutSeconds: "301" }],
    ["proxyHost", { proxyType: "http", proxyPort: "1" }],
    ["proxyPort", { proxyType: "http", proxyHost: "proxy.test", proxyPort: "0" }],
    ["proxyUsername", { proxyType: "http", proxyHost: "proxy.test", proxyPort: "1", proxyPassword: "x" }],
    ["proxyUrl", { proxyUrl: "proxy.test:1080" }],
    ["cooldownSeconds.network", { "cooldownSeconds.network": "86401" }],
  ])("puts the problem at the field %s", (name, entered) => {
    expect(problemsWith(entered)).toEqual([name]);
  });

  it("names only fields that the form has", () => {
    const paths = Object.keys(settingsFormSchema.shape).map((path) =>
      path === "cooldownSeconds" ? "cooldownSeconds.network" : path,
    );
    const names: readonly string[] = FORM_NAMES;
    expect(paths.map(formNameOf).filter((name) => !names.includes(name))).toEqual([]);
  });
});
