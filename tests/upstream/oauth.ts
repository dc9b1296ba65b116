/** The token families of the fake: which tokens live, which are spent, and what refreshing and reusing does to them. */
import { createHash, randomBytes } from "node:crypto";
import { createDevices } from "./devices.ts";
import type { FamilyStats, OAuthSeed, RefreshBehaviour } from "./control-types.ts";

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export type Family = {
  readonly name: string;
  readonly seed: OAuthSeed;
  readonly stats: Writable<FamilyStats>;
  readonly behaviours: RefreshBehaviour[];
  refreshToken: string | null;
  accessToken: string | null;
  accessExpiresAtMs: number;
};

export type TokenGrant = {
  readonly family: Family;
  readonly accessToken: string;
  readonly expiresInS: number;
};

type PendingCode = { readonly family: string; readonly codeChallenge: string; readonly state: string | null };

export type OAuth = ReturnType<typeof createOAuth>;

const EXPIRES_IN_DEFAULT_S = 8 * 3_600;

export function createOAuth() {
  const families = new Map<string, Family>();
  /** Every token ever issued keeps its family, so that a spent one is recognised. */
  const familyByRefreshToken = new Map<string, Family>();
  const familyByAccessToken = new Map<string, Family>();
  const codes = new Map<string, PendingCode>();
  let unknownTokenCalls = 0;

  function seed(order: OAuthSeed, nowMs: number): Family {
    forget(order.family);
    const family: Family = {
      name: order.family,
      seed: order,
      stats: { calls: 0, open: 0, openMax: 0, refreshesGranted: 0, exchangesGranted: 0, reusesRefused: 0 },
      behaviours: [...(order.refreshBehaviours ?? [])],
      refreshToken: order.refreshToken ?? null,
      accessToken: order.accessToken ?? null,
      accessExpiresAtMs: nowMs + (order.expiresInS ?? EXPIRES_IN_DEFAULT_S) * 1_000,
    };
    families.set(family.name, family);
    if (family.refreshToken !== null) familyByRefreshToken.set(family.refreshToken, family);
    if (family.accessToken !== null) familyByAccessToken.set(family.accessToken, family);
    if (order.code !== undefined)
      addCode(order.code.code, { ...order.code, family: family.name, state: order.code.state ?? null });
    return family;
  }

  function addCode(code: string, pending: PendingCode): void {
    codes.set(code, pending);
  }

  function forget(name: string): void {
    families.delete(name);
    for (const tokens of [familyByRefreshToken, familyByAccessToken]) {
      for (const [token, family] of tokens) if (family.name === name) tokens.delete(token);
    }
    for (const [code, pending] of codes) if (pending.family === name) codes.delete(code);
  }

  function issue(family: Family, expiresInS: number, nowMs: number): TokenGrant {
    const accessToken = `sk-ant-oat01-${randomBytes(24).toString("base64url")}`;
    family.accessToken = accessToken;
    if (family.seed.rotates !== false || family.refreshToken === null) {
      family.refreshToken = `sk-ant-ort01-${randomBytes(24).toString("base64url")}`;
    }
    family.accessExpiresAtMs = nowMs + expiresInS * 1_000;
    familyByAccessToken.set(accessToken, family);
    familyByRefreshToken.set(family.refreshToken, family);
    return { family, accessToken, expiresInS };
  }

  return {
    seed,
    addCode,
    devices: createDevices(),

    /** Tokens of a new family, for whoever has signed in otherwise than with a code. */
    grantTo(name: string, nowMs: number): TokenGrant {
      return issue(seed({ family: name }, nowMs), EXPIRES_IN_DEFAULT_S, nowMs);
    },

    familyOfRefreshToken(token: string): Family | null {
      return familyByRefreshToken.get(token) ?? null;
    },

    familyOfAccessToken(token: string): Family | null {
      return familyByAccessToken.get(token) ?? null;
    },

    /** null when the token is spent; a reuse is counted. */
    refresh(family: Family, token: string, nowMs: number): TokenGrant | null {
      if (token !== family.refreshToken) {
        family.stats.reusesRefused += 1;
        if (family.seed.revokeOnReuse === true) family.refreshToken = null;
        return null;
      }
      family.stats.refreshesGranted += 1;
      return issue(
        family,
        family.seed.refreshedExpiresInS ?? family.seed.expiresInS ?? EXPIRES_IN_DEFAULT_S,
        nowMs,
      );
    },

    /** null when code, verifier or state is wrong. A code is spent by its first use, right or wrong. */
    exchange(
      call: {
        code: string;
        verifier: string;
        state: string | null;
        isStateless: boolean;
        expiresInS: number | null;
      },
      nowMs: number,
    ): TokenGrant | null {
      const pending = codes.get(call.code);
      if (pending === undefined) return null;
      codes.delete(call.code);
      if (sha256(call.verifier) !== pending.codeChallenge) return null;
      const isOther = pending.state !== null && pending.state !== call.state;
      if (isOther && !call.isStateless) return null;
      const family = families.get(pending.family) ?? seed({ family: pending.family }, nowMs);
      family.stats.calls += 1;
      family.stats.exchangesGranted += 1;
      return issue(family, call.expiresInS ?? EXPIRES_IN_DEFAULT_S, nowMs);
    },

    countUnknown(): void {
      unknownTokenCalls += 1;
    },

    stats() {
      return {
        families: Object.fromEntries([...families].map(([name, family]) => [name, family.stats])),
        unknownTokenCalls,
      };
    },

    reset(name: string | null): void {
      for (const known of name === null ? [...families.keys()] : [name]) forget(known);
      if (name !== null) return;
      codes.clear();
      unknownTokenCalls = 0;
    },
  };
}

/** Why a token of a strict family does not open the Messages API; null when it does. */
export function accessRefusal(
  family: Family,
  token: string,
  headers: Readonly<Record<string, string>>,
  nowMs: number,
): string | null {
  const { strict, requireBeta } = family.seed;
  if (strict === true && token !== family.accessToken)
    return "OAuth token has been revoked. Please obtain a new token.";
  if (strict === true && nowMs >= family.accessExpiresAtMs)
    return "OAuth token has expired. Please obtain a new token or refresh your existing token.";
  if (requireBeta !== true) return null;
  if ("x-api-key" in headers) return "invalid x-api-key";
  const hasBeta = (headers["anthropic-beta"] ?? "")
    .split(",")
    .some((beta) => beta.trim() === "oauth-2025-04-20");
  return hasBeta ? null : "OAuth authentication is currently not supported.";
}

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("base64url");
}
