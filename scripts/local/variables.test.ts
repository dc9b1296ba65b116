import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PASSED_VARIABLES, passedVariables, portFrom } from "./variables.ts";
import { ROOT } from "./project.ts";

describe("passedVariables", () => {
  it("passes what is set and nothing else", () => {
    expect(passedVariables({ TIMEZONE: "Europe/Berlin", HEARTBEAT_MS: "", HOME: "/root" })).toEqual({
      TIMEZONE: "Europe/Berlin",
    });
  });

  it("knows every optional variable of the Worker", () => {
    const env = readFileSync(join(ROOT, "worker/env.ts"), "utf8");
    const optional = [...env.matchAll(/^ {2}([A-Z_]+): .*\.default\(/gm)].map((match) => match[1]);
    expect(optional.length).toBeGreaterThan(0);
    expect(PASSED_VARIABLES).toEqual(expect.arrayContaining(optional));
  });
});

describe("portFrom", () => {
  it("takes the variable or the fallback", () => {
    expect([portFrom({ PORT: "0" }, "PORT", 8787), portFrom({}, "PORT", 8787)]).toEqual([0, 8787]);
  });

  it.each(["80a", "-1", "65536", "8.5"])("refuses %s", (text) => {
    expect(() => portFrom({ PORT: text }, "PORT", 8787)).toThrow("must be a port");
  });
});
