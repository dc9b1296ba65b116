import { describe, expect, it } from "vitest";
import { SHARED_POOL } from "./domain";
import { groupShown } from "./group";

const ACCOUNTS = [
  { id: "acc_1", name: "First" },
  { id: "acc_2", name: "Second" },
];

describe("groupShown", () => {
  it("gives the shared pool a name that says what it is", () => {
    const shared = groupShown(
      { name: SHARED_POOL, policy: "rendezvous", modelMap: {}, accounts: [] },
      ACCOUNTS,
    );
    expect(shared).toMatchObject({ name: "*", title: "Shared accounts", isShared: true });
  });

  it("names its accounts, and shows the id of one whose name is not at hand", () => {
    const group = {
      name: "team",
      policy: "least_loaded",
      modelMap: { "claude-*": "gemini-3-pro" },
      accounts: ["acc_2", "acc_3"],
    } as const;
    expect(groupShown(group, ACCOUNTS)).toEqual({
      name: "team",
      title: "team",
      isShared: false,
      policy: "least_loaded",
      modelMap: "claude-* = gemini-3-pro",
      accounts: [
        { id: "acc_2", name: "Second" },
        { id: "acc_3", name: "acc_3" },
      ],
    });
  });
});
