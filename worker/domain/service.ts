/** What a relay key may be allowed to use: one service for each family of clients and their paths. Pure. */

export const SERVICES = ["claude", "gemini", "openai", "droid"] as const;
export type Service = (typeof SERVICES)[number];
