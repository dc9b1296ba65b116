/**
 * From a model's name at Anthropic to its id at Bedrock. Pure.
 *
 * Ids: the model cards of the Amazon Bedrock user guide and Anthropic's "Claude on Amazon Bedrock". Prefixes: the
 * guide's "Supported Regions and models for inference profiles". An account's `modelMap` goes before all of it.
 */

interface BedrockModel {
  /** Without the inference profile's prefix. */
  readonly id: string;
  /** There is an `apac.` profile; later models have only `global.` there, apart from some countries' own. */
  readonly apac: boolean;
}

const model = (id: string, apac = false): BedrockModel => ({ id: `anthropic.${id}`, apac });

/** Models until Opus 4.6, whose ids carry a revision. Later ones have their own name for an id. */
const MODELS: ReadonlyMap<string, BedrockModel> = new Map([
  ["claude-opus-4-6", model("claude-opus-4-6-v1")],
  ["claude-opus-4-5", model("claude-opus-4-5-20251101-v1:0")],
  ["claude-sonnet-4-5", model("claude-sonnet-4-5-20250929-v1:0")],
  ["claude-haiku-4-5", model("claude-haiku-4-5-20251001-v1:0")],
  ["claude-opus-4-1", model("claude-opus-4-1-20250805-v1:0")],
  ["claude-opus-4", model("claude-opus-4-20250514-v1:0")],
  ["claude-sonnet-4", model("claude-sonnet-4-20250514-v1:0", true)],
  ["claude-3-7-sonnet", model("claude-3-7-sonnet-20250219-v1:0", true)],
  ["claude-3-5-sonnet", model("claude-3-5-sonnet-20241022-v2:0", true)],
  ["claude-3-5-sonnet-20240620", model("claude-3-5-sonnet-20240620-v1:0", true)],
  ["claude-3-5-haiku", model("claude-3-5-haiku-20241022-v1:0", true)],
  ["claude-3-opus", model("claude-3-opus-20240229-v1:0")],
  ["claude-3-sonnet", model("claude-3-sonnet-20240229-v1:0", true)],
  ["claude-3-haiku", model("claude-3-haiku-20240307-v1:0", true)],
]);

/** Regions by their beginnings, and the inference profiles that may be called from there. */
const PROFILES = [
  ["us-gov-", "us-gov"],
  ["us-", "us"],
  ["ca-", "us"],
  ["eu-", "eu"],
] as const;

function profileOf(region: string, { apac }: BedrockModel): string {
  if (region.startsWith("ap-") && apac) return "apac";
  return PROFILES.find(([beginning]) => region.startsWith(beginning))?.[1] ?? "global";
}

/** A foundation model (`anthropic.…`), an inference profile (`us.anthropic.…`), or anything with an ARN. */
const isBedrockName = (name: string) => name.startsWith("arn:") || /(?:^|\.)anthropic\./.test(name);

const find = (name: string): BedrockModel =>
  MODELS.get(name) ?? MODELS.get(name.replace(/-(?:\d{8}|latest|0)$/, "")) ?? model(name);

/** The id to ask for. Unknown names become ids by the rule of the later models: the upstream knows best. */
export function bedrockModel(name: string, region: string): string {
  // `[1m]` asks Claude Code for the long context, which Bedrock knows by a beta flag and not by a name.
  const plain = name.replace(/\[1m\]$/, "");
  if (isBedrockName(plain)) return plain;
  const found = find(plain);
  return `${profileOf(region, found)}.${found.id}`;
}

/** CountTokens knows foundation models only, and refuses inference profiles. */
export const foundationModel = (id: string): string =>
  id.startsWith("arn:") ? id : id.replace(/^[a-z-]+\.(?=anthropic\.)/, "");
