/** Which service a model belongs to, by its name. Pure. */
import type { Service } from "./service.ts";

/** As the vendors name their models; Bedrock puts a region and the vendor before them. */
const FAMILIES: readonly (readonly [RegExp, Service])[] = [
  [/^((us|eu|apac|jp|au|ca|global)\.)?(anthropic[./])?claude/i, "claude"],
  [
    /^((openai\/)?(gpt|chatgpt|codex|o\d)([-.\d]|$)|computer-use|text-embedding-|dall-e|davinci|babbage)/i,
    "openai",
  ],
  [/^((models|google)\/)?(gemini|gemma|learnlm)/i, "gemini"],
];

/** null: nobody's in particular; whoever has it may serve it. */
export const serviceOfModel = (model: string): Service | null =>
  FAMILIES.find(([pattern]) => pattern.test(model))?.[1] ?? null;
