/** Whether a key may be used for a call at all, whatever it has spent: the first checks of an admission. Pure. */
import type { ErrorFacts, RelayErrorCode } from "../../worker/domain/errors.ts";
import { fingerprintOf, keyHash, type EpochMs } from "../../worker/domain/ids.ts";
import { endOf } from "../../worker/domain/key-changes.ts";
import { allowsModel } from "../../worker/domain/key-limits.ts";
import type { KeyConfig } from "../../worker/domain/key.ts";
import type { AdmitRequest } from "../../worker/domain/permit.ts";
import { fitsAny } from "../../worker/domain/wildcard.ts";

export interface Life {
  readonly config: KeyConfig;
  /** Deleted by an admin: refuses for ever. */
  readonly revoked: boolean;
  /** First use, which begins an activation lifetime. */
  readonly activatedAt: EpochMs | null;
}

export const expiryOf = ({ config, activatedAt }: Life): EpochMs | null => endOf(config, activatedAt);

/** Whether there is such a key: none that is deleted, in the bin or for ever. */
export const exists = ({ config, revoked }: Life): boolean => !revoked && config.deletedAt === null;

/** Whether the key may be used at all. */
export function isLive(life: Life, now: EpochMs): boolean {
  const expiresAt = expiryOf(life);
  const { enabled, suspended } = life.config;
  return exists(life) && enabled && !suspended && (expiresAt === null || now < expiresAt);
}

const facts = (code: RelayErrorCode, message: string, reason?: string): ErrorFacts => ({
  code,
  message,
  retryAfterMs: null,
  ...(reason === undefined ? {} : { reason }),
});

/** What rules a call out, the first of: the key's life, its services, its clients, its models; null: nothing. */
export function obstacle(life: Life, request: AdmitRequest, now: EpochMs): ErrorFacts | null {
  const { config } = life;
  // One message for every key that is not live, so that keys cannot be probed.
  if (!isLive(life, now) || !isInForce(config, request.fingerprint, now)) {
    return facts("unauthenticated", "Invalid API key");
  }
  if (!allowsService(config, request)) {
    return facts("permission_denied", `This key may not use ${request.service}.`, "service_not_allowed");
  }
  if (!allowsClient(config, request)) {
    const allowed = [...config.clients, ...config.userAgents].join(", ");
    return facts("permission_denied", `This key is only for: ${allowed}.`, "client_not_allowed");
  }
  if (!allowsModel(config, request.model)) {
    return facts(
      "permission_denied",
      `This key may not use the model ${request.model}.`,
      "model_not_allowed",
    );
  }
  return null;
}

/** A text that was rotated out may be found for a while, wherever the edge still has it cached. */
export function isInForce(
  { fingerprint: newest, previous }: KeyConfig,
  given: string,
  now: EpochMs,
): boolean {
  if (newest === "" || given === "" || given === newest) return true;
  return previous !== null && now < previous.until && given === fingerprintOf(keyHash(previous.hash));
}

const allowsService = ({ permissions }: KeyConfig, { service }: AdmitRequest) =>
  permissions.length === 0 || permissions.includes(service);

function allowsClient({ clients, userAgents }: KeyConfig, { caller }: AdmitRequest): boolean {
  if (clients.length === 0 && userAgents.length === 0) return true;
  const isKnown = caller.client !== null && clients.includes(caller.client);
  return isKnown || fitsAny(userAgents, caller.userAgent);
}
