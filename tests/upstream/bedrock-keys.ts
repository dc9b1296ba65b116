/** Which secrets the fake Bedrock expects: a function of the access key's id, so that nobody needs to register one. Pure. */

/** A session token that is always refused as expired. */
export const BEDROCK_EXPIRED = "session-that-expired";

export const bedrockSecret = (accessKeyId: string) => `secret/of+${accessKeyId}`;

/** Ids of temporary keys begin with `ASIA`, as AWS's do; others need no token. */
export const bedrockSession = (accessKeyId: string) =>
  accessKeyId.startsWith("ASIA") ? `session/of+${accessKeyId}==` : undefined;
