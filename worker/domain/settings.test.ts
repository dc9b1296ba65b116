import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  SETTING_NAMES,
  settingsPatchSchema,
  withDefaults,
  withoutIcon,
  withPatch,
  type SettingValues,
} from "./settings.ts";

const DEFAULTS: SettingValues = {
  sessionTtlMs: 3_600_000,
  sessionPatienceMs: 5000,
  queueTimeoutMs: 30_000,
  holdBackMs: 1000,
  routingDays: 7,
  recordMonths: 0,
  timeZone: "UTC",
  requireSecondFactor: false,
  logRequests: false,
  cooldownSeconds: {},
  rates: {},
  branding: { name: "edge-relay", icon: null, notice: null },
  publicPage: { enabled: false },
  registration: { enabled: false, role: "user", keysMax: 10 },
};
const PNG = "data:image/png;base64,iVBORw0KGgo=";

const accepts = (patch: unknown) => settingsPatchSchema.safeParse(patch).success;

describe("settingsPatchSchema", () => {
  it.each([
    ["an unknown name", { sessionTtl: 5000 }],
    ["an unknown reason", { cooldownSeconds: { tired: 5 } }],
    ["an unknown service", { rates: { grok: 1 } }],
    ["an unknown part of the branding", { branding: { script: "alert(1)" } }],
    ["a role of its own", { registration: { role: "owner" } }],
    ["a time zone that there is not", { timeZone: "Mars/Olympus" }],
    ["a picture that may carry a script", { branding: { icon: "data:image/svg+xml;base64,PHN2Zz4=" } }],
    ["an address for a picture", { branding: { icon: "https://example.com/icon.png" } }],
    ["a picture with something after it", { branding: { icon: `${PNG}"><script>` } }],
    ["a picture that is too large", { branding: { icon: `${PNG.slice(0, -12)}${"A".repeat(100_000)}` } }],
    ["control characters in a name", { branding: { name: "relay\u0007" } }],
    ["a list", []],
  ])("refuses %s", (_what, patch) => {
    expect(accepts(patch)).toBe(false);
  });

  it("B5 refuses figures that are no figures, or out of all bounds", () => {
    for (const name of ["sessionTtlMs", "sessionPatienceMs", "queueTimeoutMs", "holdBackMs", "routingDays"]) {
      for (const value of [-1, 0.5, 1e18, "5", Number.NaN, Infinity, true, {}, []]) {
        expect(accepts({ [name]: value }), `${name}: ${JSON.stringify(value)}`).toBe(false);
      }
    }
    for (const value of [-0.1, 101, "1", Number.NaN, Infinity]) {
      expect(accepts({ rates: { claude: value } }), String(value)).toBe(false);
    }
  });

  it("C6 takes no name of an object's own machinery", () => {
    for (const text of [
      '{"__proto__":{"timeZone":"UTC"}}',
      '{"constructor":{"prototype":{"enabled":true}}}',
      '{"branding":{"__proto__":{"name":"x"}}}',
      '{"rates":{"__proto__":{"claude":0}}}',
    ]) {
      expect(accepts(JSON.parse(text)), text).toBe(false);
    }
    expect(({} as Record<string, unknown>)["timeZone"]).toBeUndefined();
  });

  it("takes every name that there is, null included", () => {
    expect(accepts(Object.fromEntries(SETTING_NAMES.map((name) => [name, null])))).toBe(true);
    expect(accepts({ branding: { icon: PNG, notice: "one\ntwo" }, holdBackMs: 0 })).toBe(true);
  });
});

describe("withPatch", () => {
  it("keeps what it is not told of, within a group as well", () => {
    const first = withPatch({}, { holdBackMs: 5, branding: { name: "Ours", notice: "Hello" } });
    const second = withPatch(first, { branding: { name: null }, queueTimeoutMs: 9 });
    expect(second).toEqual({ holdBackMs: 5, queueTimeoutMs: 9, branding: { notice: "Hello" } });
  });

  it("takes a whole group away", () => {
    expect(withPatch({ rates: { claude: 2 }, holdBackMs: 5 }, { rates: null })).toEqual({ holdBackMs: 5 });
  });

  it("C6 leaves what a database was made to hold without effect", () => {
    const patch = JSON.parse('{"__proto__":{"logRequests":true},"holdBackMs":7}') as object;
    expect(withPatch({}, patch)).toEqual({ holdBackMs: 7 });
  });
});

describe("withDefaults", () => {
  it("is the deployment's own where nothing differs", () => {
    expect(withDefaults(DEFAULTS, {})).toEqual(DEFAULTS);
  });

  it("puts each override before its default and leaves the others", () => {
    const values = withDefaults(DEFAULTS, { timeZone: "Asia/Tokyo", registration: { enabled: true } });
    expect(values).toEqual({
      ...DEFAULTS,
      timeZone: "Asia/Tokyo",
      registration: { enabled: true, role: "user", keysMax: 10 },
    });
  });

  it("undoes a change when its override goes", () => {
    const patch = fc.record(
      {
        holdBackMs: fc.integer({ min: 0, max: 30_000 }),
        rates: fc.record({ claude: fc.integer({ min: 0, max: 9 }) }),
        publicPage: fc.record({ enabled: fc.boolean() }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(patch, (change) => {
        const undo = Object.fromEntries(Object.keys(change).map((name) => [name, null]));
        expect(withDefaults(DEFAULTS, withPatch(withPatch({}, change), undo))).toEqual(DEFAULTS);
      }),
    );
  });
});

describe("withoutIcon", () => {
  it("leaves everything else", () => {
    const overrides = { holdBackMs: 5, branding: { name: "Ours", icon: PNG } };
    expect(withoutIcon({ version: 2, timeZoneSince: 1, overrides })).toEqual({
      version: 2,
      timeZoneSince: 1,
      overrides: { holdBackMs: 5, branding: { name: "Ours" } },
    });
  });
});
