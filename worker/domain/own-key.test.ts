import { describe, expect, it } from "vitest";
import { keyConfigSchema, type KeyConfig } from "./key.ts";
import { loosened, ownKeyInputSchema, ownKeyPatchSchema } from "./own-key.ts";

const key = (fields: Record<string, unknown> = {}): KeyConfig =>
  keyConfigSchema.parse({
    id: "key_00000001",
    name: "mine",
    hint: "",
    createdAt: 0,
    updatedAt: 0,
    ...fields,
  });

describe("loosened", () => {
  it.each([
    [{}, { name: "other", description: "what for", tags: ["work"] }],
    [{}, { enabled: false, expiresAt: 5, dailyCost: 3, allowedModels: ["claude-*"], blockedModels: ["x"] }],
    [{ dailyCost: 5 }, { dailyCost: 4.5 }],
    [{ dailyCost: 5 }, { dailyCost: 5 }],
    [{ expiresAt: 5 }, { expiresAt: 4 }],
    [{ allowedModels: ["a", "b"] }, { allowedModels: ["b"] }],
    [{ windowMinutes: 5 }, { windowMinutes: 60, windowRequests: 3 }],
    [
      { windowMinutes: 5, windowRequests: 3 },
      { windowMinutes: 5, windowRequests: 2 },
    ],
    [{ dailyCost: 5 }, { name: "without a word of limits" }],
  ])("finds nothing where %j becomes %j", (before, patch) => {
    expect(loosened(key(before), ownKeyPatchSchema.parse(patch))).toBeNull();
  });

  it.each([
    ["enabled", { enabled: false }, { enabled: true }],
    ["expiresAt", { expiresAt: 5 }, { expiresAt: 6 }],
    ["expiresAt", { expiresAt: 5 }, { expiresAt: null }],
    ["expiresAt", { expiresAt: 0 }, { expiresAt: 1 }],
    ["dailyCost", { dailyCost: 5 }, { dailyCost: 5.01 }],
    ["totalCost", { totalCost: 5 }, { totalCost: 0 }],
    ["concurrency", { concurrency: 1 }, { concurrency: 2 }],
    ["permissions", { permissions: ["claude"] }, { permissions: [] }],
    ["allowedModels", { allowedModels: ["a"] }, { allowedModels: ["a", "b"] }],
    ["clients", { clients: ["claude-code"] }, { clients: [] }],
    ["blockedModels", { blockedModels: ["a", "b"] }, { blockedModels: ["a"] }],
    ["windowMinutes", { windowMinutes: 60, windowRequests: 3 }, { windowMinutes: 1 }],
    ["windowMinutes", { windowMinutes: 60, windowRequests: 3 }, { windowMinutes: 600 }],
  ])("names %s where %j becomes %j", (field, before, patch) => {
    const parsed = ownKeyPatchSchema.parse(patch);
    expect(loosened(key(before), parsed)).toBe(field);
  });
});

describe("ownKeyInputSchema", () => {
  it.each(["ownerId", "binding", "bindingFallback", "modelMap", "explain", "rates", "suspended", "id"])(
    "refuses %s, which is not its owner's to say",
    (field) => {
      expect(ownKeyInputSchema.safeParse({ name: "mine", [field]: null }).success).toBe(false);
      expect(ownKeyPatchSchema.safeParse({ [field]: null }).success).toBe(false);
    },
  );

  it("gives what is left out as a new key has it", () => {
    expect(ownKeyInputSchema.parse({ name: "mine", totalCost: 3 })).toMatchObject({
      name: "mine",
      totalCost: 3,
      ownerId: null,
      binding: null,
      enabled: true,
    });
  });
});
