import { describe, expect, it } from "vitest";
import { BOXES, echoOf, isChecked, isShown, linesOf, problemsOf } from "./form-text";

function formOf(...entries: readonly (readonly [name: string, value: string])[]): FormData {
  const form = new FormData();
  for (const [name, value] of entries) form.append(name, value);
  return form;
}

describe("linesOf", () => {
  it("reads one entry a line and leaves commas alone", () => {
    expect(linesOf(formOf(["agents", "  one/1 (a, b)\r\n\r\ntwo/*\r\n"]), "agents")).toEqual([
      "one/1 (a, b)",
      "two/*",
    ]);
  });

  it("reads one entry a checked box", () => {
    expect(linesOf(formOf(["services", "claude"], ["services", "openai"]), "services")).toEqual([
      "claude",
      "openai",
    ]);
  });

  it("tells a field that was emptied from a form without it", () => {
    expect(linesOf(formOf(["models", ""]), "models")).toEqual([]);
    expect(linesOf(formOf(), "models")).toBeUndefined();
  });
});

describe("isChecked", () => {
  it("takes a box that the form does not mention as not checked", () => {
    expect(isChecked(formOf(["explain", "on"]), "explain")).toBe(true);
    expect(isChecked(formOf(), "explain")).toBe(false);
  });
});

describe("isShown", () => {
  it("tells a box that is not checked from one that the form does not have", () => {
    const form = formOf([BOXES, "explain"], ["name", ""]);
    expect(["explain", "name", "hardBudget"].map((name) => isShown(form, name))).toEqual([true, true, false]);
  });
});

describe("echoOf", () => {
  it("gives every checked box a line, and nothing for those that are not", () => {
    const form = formOf(["services", "claude"], ["services", "openai"], ["name", " laptop "]);
    expect(echoOf(form, ["services", "name", "explain"])).toEqual({
      services: "claude\nopenai",
      name: "laptop",
      explain: "",
    });
  });
});

describe("problemsOf", () => {
  const issues = [
    { path: ["models", 2], message: "is too long" },
    { path: ["models", 3], message: "is too short" },
    { path: [], message: "is no key" },
  ];

  it("puts what is wrong with an entry at the field of its list, the first problem only", () => {
    expect(problemsOf(issues)).toEqual({ models: "is too long", "": "is no key" });
  });

  it("asks for the form's name with the whole path", () => {
    const asked: string[] = [];
    problemsOf(issues, (path) => {
      asked.push(path);
      return path;
    });
    expect(asked).toEqual(["models.2", "models.3", ""]);
  });
});
