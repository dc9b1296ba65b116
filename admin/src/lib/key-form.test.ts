import { describe, expect, it } from "vitest";
import { accountIdSchema } from "../../../worker/domain/ids.ts";
import { formNameOf, KEY_NAMES, readKey, valuesOf, type KeyOptions } from "./key-form";
import { echoOf, problemsOf } from "./form-text";
import { BLANK_VALUES, keyFormSchema } from "./key-schema";

const ZONE = "Europe/Berlin";

/** A key of which every option differs from its default. */
const FULL: KeyOptions = {
  name: "laptop",
  description: "of the maths team",
  tags: ["maths", "laptops"],
  expiresAt: Date.UTC(2030, 6, 1, 22, 30),
  activation: null,
  binding: { kind: "group", group: "team" },
  bindingFallback: true,
  explain: true,
  modelMap: { "claude-*": "gemini-3-pro", "gpt-6": "gpt-6-sol" },
  permissions: ["claude", "openai"],
  clients: ["claude-code", "droid"],
  userAgents: ["my-tool/* (linux, x64)", "other/1"],
  allowedModels: ["claude-*"],
  blockedModels: ["*opus*", "*haiku*"],
  concurrency: 4,
  queueLength: 2,
  queueMultiple: 1.5,
  queueTimeoutMs: 2500,
  windowMinutes: 300,
  windowRequests: 100,
  windowTokens: 1_000_000,
  windowCost: 2.5,
  dailyCost: 5,
  weeklyCost: 20.25,
  weeklyPremiumCost: 10,
  totalCost: 500,
  premiumModels: [],
  weekStartDay: 7,
  weekStartHour: 6,
  hardBudget: true,
  rates: { claude: 1.5, droid: 0 },
};

/** What a browser sends for a form that shows these values: a field each, and a box for each choice. */
function sent(values: Readonly<Record<string, string>>): FormData {
  const boxes = ["permissions", "clients", "bindingFallback", "hardBudget", "explain"];
  const form = new FormData();
  for (const [name, value] of Object.entries(values)) {
    if (!boxes.includes(name)) form.append(name, value);
    else for (const entry of value.split("\n").filter(Boolean)) form.append(name, entry);
  }
  return form;
}

const read = (form: FormData) => keyFormSchema.parse(readKey(form, ZONE));

describe("readKey", () => {
  it("reads back every option of a key that valuesOf put into the form", () => {
    expect(read(sent(valuesOf(FULL, ZONE)))).toEqual(FULL);
  });

  it.each<Partial<KeyOptions>>([
    { activation: { amount: 36, unit: "hours" }, expiresAt: null },
    { binding: { kind: "account", accountId: accountIdSchema.parse(`acc_${"0".repeat(26)}`) } },
    { binding: null, bindingFallback: false },
  ])("reads back the other choices, as in %j", (change) => {
    const key = { ...FULL, ...change };
    expect(read(sent(valuesOf(key, ZONE)))).toEqual(key);
  });

  it("is tried with a value of its own for every option there is", () => {
    const defaults = keyFormSchema.parse({ name: "blank" });
    const atDefault = Object.entries({ ...defaults, activation: "tried above" }).filter(
      ([name, value]) => JSON.stringify(value) === JSON.stringify(FULL[name as keyof KeyOptions]),
    );
    expect(atDefault).toEqual([]);
  });

  it("gives the schema's defaults for a form with only a name", () => {
    expect(read(sent({ name: "laptop" }))).toEqual(keyFormSchema.parse({ name: "laptop" }));
  });

  it("gives the schema's defaults for the form of a new key when only the name is entered", () => {
    const form = sent({ ...BLANK_VALUES, name: "laptop" });
    expect(read(form)).toEqual(keyFormSchema.parse({ name: "laptop" }));
  });

  it("takes a field that was emptied as no restriction", () => {
    const emptied = Object.fromEntries(Object.keys(valuesOf(FULL, ZONE)).map((name) => [name, ""]));
    expect(read(sent({ ...emptied, name: "laptop" }))).toEqual({
      ...keyFormSchema.parse({ name: "laptop" }),
      premiumModels: [],
    });
  });
});

describe("KEY_NAMES", () => {
  it("brings a refused form back as it was", () => {
    const values = valuesOf(FULL, ZONE);
    expect(echoOf(sent(values), KEY_NAMES)).toEqual(values);
  });
});

describe("formNameOf", () => {
  const problemsWith = (entered: Readonly<Record<string, string>>) => {
    const form = sent({ ...BLANK_VALUES, name: "laptop", ...entered });
    const { error } = keyFormSchema.safeParse(readKey(form, ZONE));
    return Object.keys(problemsOf(error?.issues ?? [], (path) => formNameOf(path, form)));
  };

  it.each([
    ["name", { name: "" }],
    ["concurrency", { concurrency: "1.5" }],
    ["queueTimeoutSeconds", { queueTimeoutSeconds: "601" }],
    ["dailyCost", { dailyCost: "-1" }],
    ["weekStartDay", { weekStartDay: "8" }],
    ["blockedModels", { blockedModels: `fine\n${"x".repeat(201)}` }],
    ["permissions", { permissions: "claude\nelsewhere" }],
    ["rates.gemini", { "rates.gemini": "101" }],
    ["expiresAt", { lifetime: "until" }],
    ["activationAmount", { lifetime: "activation", activationAmount: "" }],
    ["group", { binding: "group" }],
    ["accountId", { binding: "account" }],
  ])("puts the problem at the field %s", (name, entered) => {
    expect(problemsWith(entered)).toEqual([name]);
  });

  it("names only fields that the form has", () => {
    const form = sent(BLANK_VALUES);
    const paths = Object.keys(keyFormSchema.shape).map((path) => (path === "rates" ? "rates.claude" : path));
    const names: readonly string[] = KEY_NAMES;
    expect(paths.map((path) => formNameOf(path, form)).filter((name) => !names.includes(name))).toEqual([]);
  });
});
