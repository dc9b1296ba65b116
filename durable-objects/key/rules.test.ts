import { describe, expect, it } from "vitest";
import type { KeyConfig } from "../../worker/domain/key.ts";
import type { AdmitRequest } from "../../worker/domain/permit.ts";
import { ask, config, DAY_MS, HOUR_MS, NOW } from "./__fixtures__/builders.ts";
import { allowsModel } from "../../worker/domain/key-limits.ts";
import { expiryOf, isInForce, isLive, obstacle } from "./rules.ts";

const life = (overrides: Partial<KeyConfig> = {}) => ({
  config: config(overrides),
  revoked: false,
  activatedAt: null,
});

const reasonOf = (overrides: Partial<KeyConfig>, request: Partial<AdmitRequest> = {}) =>
  obstacle(life(overrides), ask(1, request), NOW)?.reason ?? null;

const CLAUDE_CODE = { client: "claude-code", userAgent: "claude-cli/2.1.329 (external, cli)" } as const;
const PYTHON = { client: null, userAgent: "python-requests/2.32" } as const;

describe("expiryOf", () => {
  const activation = { amount: 2, unit: "days" } as const;

  it("is never for a key without a date, and for one whose lifetime has not begun", () => {
    expect(expiryOf(life())).toBeNull();
    expect(expiryOf(life({ activation }))).toBeNull();
  });

  it("is the earlier of the date and the lifetime from first use", () => {
    const used = { ...life({ activation }), activatedAt: NOW };
    expect(expiryOf(used)).toBe(NOW + 2 * DAY_MS);
    expect(expiryOf({ ...used, config: config({ activation, expiresAt: NOW + HOUR_MS }) })).toBe(
      NOW + HOUR_MS,
    );
    expect(expiryOf({ ...used, config: config({ activation, expiresAt: NOW + 9 * DAY_MS }) })).toBe(
      NOW + 2 * DAY_MS,
    );
  });
});

describe("isLive", () => {
  it("ends with the last instant before the expiry", () => {
    expect(isLive(life({ expiresAt: NOW }), NOW - 1)).toBe(true);
    expect(isLive(life({ expiresAt: NOW }), NOW)).toBe(false);
  });

  it("is false for a key that is switched off or revoked", () => {
    expect(isLive(life({ enabled: false }), NOW)).toBe(false);
    expect(isLive({ ...life(), revoked: true }, NOW)).toBe(false);
    expect(isLive(life({ deletedAt: NOW }), NOW)).toBe(false);
  });
});

describe("isInForce", () => {
  const [newest, old] = ["a".repeat(16), "b".repeat(16)];
  const rotated = config({ fingerprint: newest, previous: { hash: "b".repeat(64), until: NOW } });

  it("lets the newest text in, and the one before until its time is over, to the ms", () => {
    expect(isInForce(rotated, newest, NOW + DAY_MS)).toBe(true);
    expect(isInForce(rotated, old, NOW - 1)).toBe(true);
    expect(isInForce(rotated, old, NOW)).toBe(false);
    expect(isInForce(rotated, "c".repeat(16), NOW - 1)).toBe(false);
  });

  it("lets any text in that finds a key of which none is known", () => {
    expect(isInForce(config(), old, NOW)).toBe(true);
  });

  it("is false for a key whose owner is switched off, whatever the key itself says", () => {
    expect(isLive(life({ suspended: true, enabled: true }), NOW)).toBe(false);
    expect(obstacle(life({ suspended: true }), ask(1), NOW)).toEqual(
      obstacle(life({ enabled: false }), ask(1), NOW),
    );
  });
});

describe("obstacle", () => {
  it("finds nothing in the way of a key without restrictions", () => {
    expect(reasonOf({})).toBeNull();
  });

  it.each([
    [["claude"], "claude", null],
    [["gemini", "claude"], "claude", null],
    [["gemini", "openai", "droid"], "claude", "service_not_allowed"],
    [["claude"], "gemini", "service_not_allowed"],
  ] as const)("with permissions %j answers %s with %s", (permissions, service, reason) => {
    expect(reasonOf({ permissions: [...permissions] }, { service })).toBe(reason);
  });

  it.each([
    [{ clients: ["claude-code"] }, CLAUDE_CODE, null],
    [{ clients: ["codex-cli", "droid"] }, CLAUDE_CODE, "client_not_allowed"],
    [{ clients: ["claude-code"] }, PYTHON, "client_not_allowed"],
    [{ clients: ["claude-code"] }, { ...CLAUDE_CODE, client: null }, "client_not_allowed"],
    [{ userAgents: ["python-*"] }, PYTHON, null],
    [{ userAgents: ["python-*"] }, CLAUDE_CODE, "client_not_allowed"],
    [{ clients: ["claude-code"], userAgents: ["python-*"] }, PYTHON, null],
    [{ clients: ["claude-code"], userAgents: ["python-*"] }, CLAUDE_CODE, null],
  ] satisfies [Partial<KeyConfig>, AdmitRequest["caller"], string | null][])(
    "for %j lets in who is named: %j gives %s",
    (restriction, caller, reason) => {
      expect(reasonOf(restriction, { caller })).toBe(reason);
    },
  );

  it("names the first thing in the way: the key's life, then service, client, model", () => {
    const everything = {
      permissions: ["gemini" as const],
      clients: ["droid" as const],
      allowedModels: ["gpt-*"],
    };
    expect(obstacle(life({ ...everything, enabled: false }), ask(1), NOW)?.code).toBe("unauthenticated");
    expect(reasonOf(everything)).toBe("service_not_allowed");
    expect(reasonOf({ ...everything, permissions: [] })).toBe("client_not_allowed");
    expect(reasonOf({ allowedModels: ["gpt-*"] })).toBe("model_not_allowed");
  });

  it("never asks to come back: waiting does not help", () => {
    const refusals = [{ enabled: false }, { allowedModels: ["gpt-*"] }].map((overrides) =>
      obstacle(life(overrides), ask(1), NOW),
    );
    expect(refusals.map((refusal) => refusal?.retryAfterMs)).toEqual([null, null]);
  });
});

describe("allowsModel", () => {
  it.each([
    [[], [], "claude-opus-4-5", true],
    [["claude-sonnet-*"], [], "claude-sonnet-4-5", true],
    [["claude-sonnet-*"], [], "claude-opus-4-5", false],
    [[], ["*opus*"], "Claude-OPUS-4-5", false],
    [[], ["*opus*"], "claude-sonnet-4-5", true],
    [["claude-*"], ["*opus*"], "claude-opus-4-5", false],
    [["claude-opus-4-5"], ["claude-opus-4-5"], "claude-opus-4-5", false],
  ])("allowed %j and blocked %j: %s is %s", (allowedModels, blockedModels, model, expected) => {
    expect(allowsModel({ allowedModels, blockedModels }, model)).toBe(expected);
  });
});
