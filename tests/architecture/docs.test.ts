/** Holds the documentation to what the program has: an option that is not described does not exist for people. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { LIMIT_IDS, limitFields } from "../../worker/domain/key-limits.ts";
import { SETTING_NAMES } from "../../worker/domain/settings.ts";
import { NOTICE_KINDS } from "../../worker/domain/notice.ts";
import { ROLES } from "../../worker/domain/person.ts";
import { ldapVariables, oidcVariables } from "../../worker/domain/sign-in-settings.ts";

/** What a provider's row says of it. */
interface Described {
  readonly id: string;
  readonly label: string;
  readonly service: string;
  readonly protocols: readonly string[];
  readonly credentialSchema: z.ZodType;
  readonly vendor: string | null;
  readonly needsBaseUrl?: boolean;
  readonly oauth?: unknown;
  readonly device?: unknown;
  readonly refresh?: unknown;
}

// By a name that the compiler does not follow: the providers are typed for workerd, and these tests for Node.
const registry = join(import.meta.dirname, "../../worker/providers/index.ts");
const { PROVIDERS } = (await import(registry)) as { PROVIDERS: ReadonlyMap<string, Described> };

const withProperties = z.object({ properties: z.record(z.string(), z.unknown()) });
const alternatives = z.object({ anyOf: z.array(withProperties) });

/** Of all forms that a credential may have. */
function credentialFields({ credentialSchema }: Described): string[] {
  const schema = z.toJSONSchema(credentialSchema, { io: "input", unrepresentable: "any" });
  const forms = alternatives.safeParse(schema).data?.anyOf ?? [withProperties.parse(schema)];
  return [...new Set(forms.flatMap(({ properties }) => Object.keys(properties)))];
}

const read = (name: string) => readFileSync(join(import.meta.dirname, "../../docs", name), "utf8");

const keys = read("keys.md");

describe("docs/keys.md", () => {
  it.each(Object.keys(limitFields))("has a row for %s", (field) => {
    expect(keys).toMatch(new RegExp(`^\\| \`${field}\` +\\|`, "m"));
  });

  it("names every limit's refusal, in the order in which they are checked", () => {
    const places = LIMIT_IDS.map((id) => keys.indexOf(`\`${id}\``));
    expect(places).not.toContain(-1);
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });
});

describe("docs/settings.md", () => {
  const text = read("settings.md");

  it.each(SETTING_NAMES)("has a row for %s", (name) => {
    expect(text).toMatch(new RegExp(`^\\| \`${name}\` +\\|`, "m"));
  });
});

describe("docs/sign-in.md", () => {
  it.each(Object.keys({ ...ldapVariables, ...oidcVariables }))("has a row for %s", (name) => {
    expect(read("sign-in.md")).toMatch(new RegExp(`^\\| \`${name}\` +\\|`, "m"));
  });
});

const channels = join(import.meta.dirname, "../../worker/notify/index.ts");
const { CHANNELS } = (await import(channels)) as {
  CHANNELS: ReadonlyMap<string, { readonly id: string; readonly settingsSchema: z.ZodType }>;
};

describe("docs/notifications.md", () => {
  const text = read("notifications.md");

  it.each([...CHANNELS.values()])("names every setting of $id", ({ id, settingsSchema }) => {
    const row = new RegExp(`^\\| \`${id}\` +\\|.*$`, "m").exec(text)?.[0];
    const { properties } = withProperties.parse(z.toJSONSchema(settingsSchema, { io: "input" }));
    for (const name of Object.keys(properties)) expect(row).toContain(`\`${name}\``);
  });

  it.each(NOTICE_KINDS)("has a row for %s", (kind) => {
    expect(text).toMatch(new RegExp(`^\\| \`${kind}\` +\\|`, "m"));
  });
});

describe("docs/people.md", () => {
  it.each(ROLES)("has a row for %s", (role) => {
    expect(read("people.md")).toMatch(new RegExp(`^\\| \`${role}\` +\\|`, "m"));
  });
});

describe("docs/providers.md", () => {
  const text = read("providers.md");
  const rows = [...text.matchAll(/^\| `.+$/gm)].map(([row]) =>
    row
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const coded = (names: readonly string[]) => names.map((name) => `\`${name}\``).join(", ");
  const yesOrNo = (value: unknown) => (value === undefined ? "no" : "yes");

  it("has a row for every provider, and no other", () => {
    expect(rows.map(([id]) => id).toSorted()).toEqual(
      [...PROVIDERS.keys()].map((id) => coded([id])).toSorted(),
    );
  });

  it.each([...PROVIDERS.values()])("says of $id what it is", (provider) => {
    const row = rows.find(([id]) => id === coded([provider.id]));
    expect(row?.slice(1, 8)).toEqual([
      provider.label,
      coded([provider.service]),
      coded(provider.protocols),
      coded(credentialFields(provider)),
      yesOrNo(provider.oauth ?? provider.device),
      yesOrNo(provider.refresh),
      provider.vendor === null ? "its own" : coded([provider.vendor]),
    ]);
    expect(row?.[9]?.includes("required")).toBe(provider.needsBaseUrl === true);
    expect(text).toContain(`\n**\`${provider.id}\`**: `);
  });
});
