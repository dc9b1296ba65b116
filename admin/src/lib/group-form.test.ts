import { describe, expect, it } from "vitest";
import { groupFormSchema, readGroup } from "./group-form";

function sent(fields: Readonly<Record<string, string>>): FormData {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  return form;
}

describe("a group's form", () => {
  it("reads the policy and, line by line, the model map", () => {
    const form = sent({
      name: "team",
      policy: "least_loaded",
      modelMap: "claude-* = gemini-3-pro\n\ngpt = x",
    });
    expect(groupFormSchema.parse(readGroup(form))).toEqual({
      name: "team",
      policy: "least_loaded",
      modelMap: { "claude-*": "gemini-3-pro", gpt: "x" },
    });
  });

  it.each([
    ["policy", { policy: "by mood" }],
    ["modelMap", { modelMap: "claude-*" }],
  ])("says what is wrong with %s", (field, wrong) => {
    const form = sent({ name: "team", policy: "rendezvous", modelMap: "", ...wrong });
    const result = groupFormSchema.safeParse(readGroup(form));
    expect(result.error?.issues.map(({ path }) => path[0])).toEqual([field]);
  });
});
