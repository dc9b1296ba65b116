/** Of the public list, what goes into the table, and what the vendors publish beyond it. Pure. */

export interface Source {
  readonly provider: string;
  /** Which of the list's models go into the table. */
  readonly models: RegExp;
  /** 1-hour cache writes in percent of the input rate, where the list gives none; null: as other cache writes. */
  readonly cacheWrite1hPercent: number | null;
  readonly batchPercent: number;
  readonly fastPercent: Readonly<Record<string, number>>;
  /** Beyond those the list marks. */
  readonly deprecated: readonly string[];
}

export const SOURCES: readonly Source[] = [
  {
    provider: "anthropic",
    models: /^/,
    // platform.claude.com/docs/en/about-claude/pricing#prompt-caching: 1.25 and 2 times the input price.
    cacheWrite1hPercent: 200,
    // Same page, #batch-processing: half price for input and output, and the cache multipliers stack with it.
    batchPercent: 50,
    // Same page, #fast-mode-pricing, as of 2026-09: $8/$40 for Opus 5.5, $10/$50 for Opus 5 and 4.8. Opus 4.7
    // refuses the speed and 4.6 bills it as standard.
    fastPercent: { "claude-opus-5-5": 200, "claude-opus-5": 200, "claude-opus-4-8": 200 },
    // The `Model` type of @anthropic-ai/sdk 1.11.0 no longer names them; Sonnet 4.5 is in its DEPRECATED_MODELS.
    deprecated: [
      "claude-v1",
      "claude-2",
      "claude-3-haiku",
      "claude-3-sonnet",
      "claude-3-opus-latest",
      "claude-3-5-haiku-latest",
      "claude-3-5-sonnet",
      "claude-3-7-sonnet-latest",
      "claude-opus-4-0",
      "claude-opus-4-1",
      "claude-sonnet-4-0",
      "claude-sonnet-4-5",
    ],
  },
  {
    provider: "openai",
    // Text, reasoning, embeddings and pictures since 2024. Speech is billed by units that no answer of a relayed
    // call reports; what is older has been shut down.
    models:
      /^(?:gpt-(?:4o|4\.1|5|6|image|chat|oss)|o[134]|codex-mini|computer-use|text-embedding-3)(?!.*(?:audio|realtime|transcribe|tts|extended|ft-))/,
    cacheWrite1hPercent: null,
    // developers.openai.com/api/docs/pricing: Batch and Flex are half price, cached input included. For the priority
    // tier the library has no prices, so it is booked at the standard ones.
    batchPercent: 50,
    fastPercent: {},
    // Superseded; they keep their prices for who still asks for them.
    deprecated: [
      "codex-mini",
      "gpt-4o",
      "gpt-4o-2024-05-13",
      "gpt-4o-mini",
      "gpt-4o-search-preview",
      "gpt-5-image",
      "gpt-5-image-mini",
      "gpt-image-1",
      "gpt-image-1-mini",
      "o1",
      "o1-mini",
      "o1-preview",
      "o1-pro",
      "o3-mini",
    ],
  },
  {
    provider: "google",
    // Claude models are Anthropic's, as Vertex sells them; embeddings, live talk and films have no route here.
    models: /^(gemini|gemma)-(?!embedding|live|omni)(?!.*-live-)/,
    // What lies in its caches is billed by the hour, says the library, and writing it as any other input.
    cacheWrite1hPercent: null,
    // ai.google.dev/gemini-api/docs/pricing, as the library quotes it: batches cost half.
    batchPercent: 50,
    fastPercent: {},
    // Generations that two newer ones have replaced; the library keeps their prices without a mark.
    deprecated: [
      "gemini-1.0-pro-vision-001",
      "gemini-1.5-flash",
      "gemini-1.5-pro",
      "gemini-2.0-flash",
      "gemini-2.0-flash-lite",
      "gemini-flash-1.5",
      "gemini-flash-1.5-8b",
      "gemini-pro",
      "gemini-pro-1.5",
    ],
  },
];
