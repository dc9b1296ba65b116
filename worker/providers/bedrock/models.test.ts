import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { bedrockModel, foundationModel } from "./models.ts";

describe("bedrockModel", () => {
  it.each([
    ["claude-sonnet-4-5", "us-east-1", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"],
    ["claude-sonnet-4-5-20250929", "us-west-2", "us.anthropic.claude-sonnet-4-5-20250929-v1:0"],
    ["claude-haiku-4-5-20251001", "eu-central-1", "eu.anthropic.claude-haiku-4-5-20251001-v1:0"],
    ["claude-sonnet-4-0", "ap-southeast-1", "apac.anthropic.claude-sonnet-4-20250514-v1:0"],
    ["claude-opus-4-20250514", "us-east-1", "us.anthropic.claude-opus-4-20250514-v1:0"],
    ["claude-opus-4-1-20250805", "us-east-1", "us.anthropic.claude-opus-4-1-20250805-v1:0"],
    ["claude-opus-4-6", "us-gov-west-1", "us-gov.anthropic.claude-opus-4-6-v1"],
    ["claude-3-5-sonnet-20240620", "us-east-1", "us.anthropic.claude-3-5-sonnet-20240620-v1:0"],
    ["claude-3-7-sonnet-latest", "us-east-1", "us.anthropic.claude-3-7-sonnet-20250219-v1:0"],
  ])("makes of %s in %s the profile %s", (name, region, id) => {
    expect(bedrockModel(name, region)).toBe(id);
  });

  it("asks the global profile where a region has none of its own for the model", () => {
    expect(bedrockModel("claude-sonnet-4-5", "ap-northeast-1")).toBe(
      "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
    );
    expect(bedrockModel("claude-opus-4-6", "sa-east-1")).toBe("global.anthropic.claude-opus-4-6-v1");
  });

  it("gives models later than the table their own name for an id", () => {
    expect(bedrockModel("claude-opus-5-5", "us-east-1")).toBe("us.anthropic.claude-opus-5-5");
    expect(bedrockModel("claude-sonnet-4-6", "eu-west-1")).toBe("eu.anthropic.claude-sonnet-4-6");
  });

  it("takes the mark of the long context off, which is no part of any id", () => {
    expect(bedrockModel("claude-sonnet-4-5[1m]", "us-east-1")).toBe(
      "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    );
  });

  it.each([
    "anthropic.claude-3-haiku-20240307-v1:0",
    "eu.anthropic.claude-opus-5-5",
    "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc",
  ])("passes %s on as it is", (id) => {
    expect(bedrockModel(id, "us-east-1")).toBe(id);
  });

  it("never makes a name that could leave its place in the path", () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        const segment = encodeURIComponent(bedrockModel(name.toWellFormed(), "us-east-1"));
        expect(new URL(`https://host/model/${segment}/invoke`).pathname).toBe(`/model/${segment}/invoke`);
      }),
    );
  });
});

describe("foundationModel", () => {
  it("takes the profile's prefix off, and leaves ARNs alone", () => {
    expect(foundationModel("us-gov.anthropic.claude-opus-4-6-v1")).toBe("anthropic.claude-opus-4-6-v1");
    expect(foundationModel("arn:aws:bedrock:x:y:z/us.anthropic.a")).toBe(
      "arn:aws:bedrock:x:y:z/us.anthropic.a",
    );
  });
});
