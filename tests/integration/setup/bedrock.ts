/** Accounts of the fake Bedrock. */
import { bedrockSecret, bedrockSession } from "../../upstream/bedrock-keys.ts";
import { unique, upstream } from "./relay.ts";

let serial = 0;

/** A new access key's id; one that begins with `ASIA` needs a session token. */
export const accessKeyId = (kind: "AKIA" | "ASIA" = "AKIA"): string =>
  `${kind}${crypto.randomUUID().replaceAll("-", "").toUpperCase()}${String(++serial)}`;

export const REGION = "us-east-1";

/** What makes an account of a pool one of Bedrock; the id is what behaviours are ordered by. */
export function bedrockAccount(id: string, overrides: Record<string, unknown> = {}): Record<string, unknown> {
  const sessionToken = bedrockSession(id);
  return {
    provider: "bedrock",
    name: unique("bedrock"),
    baseUrl: upstream.url,
    credential: {
      region: REGION,
      accessKeyId: id,
      secretAccessKey: bedrockSecret(id),
      ...(sessionToken === undefined ? {} : { sessionToken }),
      ...overrides,
    },
  };
}
