/**
 * An account's credential: sealed at rest, open in memory, refreshed by one call at a time. A rotated token is
 * stored before anybody gets the access token that came with it.
 */
import { z } from "zod";
import type { EpochMs } from "../../worker/domain/ids.ts";
import type { Provider, RefreshResult, TokenCallContext } from "../../worker/providers/provider.ts";
import { keyIdOf, type Keyring, type Sealed } from "../../worker/storage/seal.ts";

/** A token this close to its end is refreshed before it is handed out: it must outlive the request's start. */
const EXPIRY_SKEW_MS = 60_000;
/** Refresh begins this long ahead of expiry, so that requests rarely wait for it. */
const REFRESH_AHEAD_MS = 10 * 60_000;
/** Tokens that live shorter than these are refreshed in the middle of their life, but no sooner than this. */
const REFRESH_SPACING_MS = 60_000;
const RETRY_FIRST_MS = 5_000;
const RETRY_MAX_MS = 10 * 60_000;
/** One quick second try inside a refresh that somebody waits for. */
const QUICK_RETRY_MS = 500;

const storedSchema = z.object({
  sealed: z.string().transform((text) => text as Sealed),
  version: z.number(),
  refreshFailures: z.number(),
  refreshError: z.string().nullable(),
  retryAt: z.number().nullable(),
  /** The refresh token itself was refused: only a new sign-in helps. */
  rejected: z.boolean(),
  lastRefreshAt: z.number().nullable(),
});
type Stored = z.infer<typeof storedSchema>;

export type CredentialState =
  | { readonly kind: "usable"; readonly credential: unknown; readonly version: number }
  | { readonly kind: "unusable"; readonly message: string; readonly retryAt: EpochMs | null };

interface Surroundings {
  readonly storage: SyncKvStorage;
  readonly keyring: Keyring;
  readonly owner: string;
  readonly now: () => EpochMs;
  readonly tokenCall: Omit<TokenCallContext, "now">;
  readonly sleep: (ms: number) => Promise<void>;
  /** Told of each refresh that failed; rejected: only a new sign-in helps. */
  readonly failed: (message: string, isRejected: boolean) => void;
  /** Told of a refresh that worked after one that had not. */
  readonly works: () => void;
}

const ROW = "credential";

/** Which key it is sealed with; null: none is stored. */
export function credentialKeyId(storage: SyncKvStorage): string | null {
  const row: unknown = storage.get(ROW);
  return row === undefined ? null : keyIdOf(storedSchema.parse(row).sealed);
}

export class CredentialKeeper {
  readonly #in: Surroundings;
  readonly #provider: Provider;
  #stored: Stored;
  #credential: unknown;
  #refreshing: Promise<CredentialState> | null = null;

  private constructor(surroundings: Surroundings, provider: Provider, stored: Stored, credential: unknown) {
    this.#in = surroundings;
    this.#provider = provider;
    this.#stored = stored;
    this.#credential = credential;
  }

  /** The stored credential, opened; sealed anew if the keyring has a newer key. Null: none is stored. */
  static async load(surroundings: Surroundings, provider: Provider): Promise<CredentialKeeper | null> {
    const row: unknown = surroundings.storage.get(ROW);
    if (row === undefined) return null;
    const stored = storedSchema.parse(row);
    const { plaintext, stale } = await surroundings.keyring.open(stored.sealed, surroundings.owner);
    const keeper = new CredentialKeeper(surroundings, provider, stored, JSON.parse(plaintext));
    if (stale) await keeper.#store(keeper.#credential, {});
    return keeper;
  }

  /** Stores a credential that a person entered, already parsed by the provider's schema. */
  static async replace(
    surroundings: Surroundings,
    provider: Provider,
    credential: unknown,
    previous: CredentialKeeper | null,
  ): Promise<CredentialKeeper> {
    const keeper = new CredentialKeeper(
      surroundings,
      provider,
      {
        sealed: "" as Sealed,
        version: previous?.version ?? 0,
        refreshFailures: 0,
        refreshError: null,
        retryAt: null,
        rejected: false,
        lastRefreshAt: null,
      },
      credential,
    );
    await keeper.#store(credential, { version: keeper.version + 1 });
    return keeper;
  }

  get version(): number {
    return this.#stored.version;
  }

  get credential(): unknown {
    return this.#credential;
  }

  /** What an admin may know of it besides its masked values. */
  get description(): Readonly<Record<string, string>> {
    return this.#provider.describeCredential?.(this.#credential) ?? {};
  }

  /** Whether there is anything to renew it with. */
  get isRenewable(): boolean {
    const tokens = this.#provider.tokensIn?.(this.#credential) ?? null;
    return this.#provider.refresh !== undefined && (tokens === null || tokens.refresh);
  }

  get refreshError(): string | null {
    return this.#stored.refreshError;
  }

  get lastRefreshAt(): EpochMs | null {
    return this.#stored.lastRefreshAt;
  }

  get expiresAt(): EpochMs | null {
    return this.#provider.expiresAt(this.#credential);
  }

  /** The credential at once if it is good for a request; null: it must be refreshed first. */
  current(): CredentialState | null {
    const { expiresAt } = this;
    if (expiresAt === null) return this.#usable();
    const skewMs = Math.min(EXPIRY_SKEW_MS, this.#lifetimeMs(expiresAt) / 2);
    return expiresAt - this.#in.now() > skewMs ? this.#usable() : null;
  }

  /** How long the token was good for when it was issued; unknown for one that a person entered. */
  #lifetimeMs(expiresAt: EpochMs): number {
    return this.lastRefreshAt === null ? Infinity : expiresAt - this.lastRefreshAt;
  }

  /** The credential, refreshed if it is about to expire. */
  async fresh(): Promise<CredentialState> {
    return this.current() ?? (await this.refresh());
  }

  /** When to refresh in the background; null: never. */
  get refreshAt(): EpochMs | null {
    const { expiresAt } = this;
    if (expiresAt === null || this.#provider.refresh === undefined || this.#stored.rejected) return null;
    if (this.#stored.retryAt !== null) return this.#stored.retryAt;
    const ahead = expiresAt - Math.min(REFRESH_AHEAD_MS, this.#lifetimeMs(expiresAt) / 2);
    return Math.max(ahead, (this.lastRefreshAt ?? -Infinity) + REFRESH_SPACING_MS);
  }

  /**
   * Everyone who asks while a refresh runs gets its result. After a failure nobody asks again before its time.
   *
   * @param refusedPart the part of the credential that an upstream refused, where it has several
   */
  refresh(refusedPart: string | null = null): Promise<CredentialState> {
    if (this.#provider.refresh === undefined) return Promise.resolve(this.#fallback());
    const { retryAt, rejected } = this.#stored;
    if (rejected || (retryAt !== null && this.#in.now() < retryAt)) return Promise.resolve(this.#fallback());
    this.#refreshing ??= this.#refreshOnce(refusedPart).finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  /** Forgets past failures, so that the next refresh is tried at once. */
  async retryNow(): Promise<void> {
    await this.#store(this.#credential, { retryAt: null, rejected: false, refreshFailures: 0 });
  }

  async #refreshOnce(refusedPart: string | null): Promise<CredentialState> {
    let result = await this.#callProvider(refusedPart);
    if (result.kind === "failed") {
      await this.#in.sleep(QUICK_RETRY_MS);
      result = await this.#callProvider(refusedPart);
    }
    if (result.kind === "refreshed") {
      const hadFailed = this.refreshError !== null;
      await this.#store(result.credential, {
        version: this.version + 1,
        refreshFailures: 0,
        refreshError: null,
        retryAt: null,
        rejected: false,
        lastRefreshAt: this.#in.now(),
      });
      if (hadFailed) this.#in.works();
      return this.#usable();
    }
    const failures = this.#stored.refreshFailures + 1;
    const delayMs = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** Math.min(failures - 1, 20));
    const rest = result.kind === "rejected" ? (result.credential ?? this.#credential) : this.#credential;
    await this.#store(rest, {
      refreshFailures: failures,
      refreshError: result.message,
      retryAt: this.#in.now() + delayMs,
      rejected: result.kind === "rejected",
    });
    this.#in.failed(result.message, result.kind === "rejected");
    return this.#fallback();
  }

  async #callProvider(refusedPart: string | null): Promise<RefreshResult<unknown>> {
    const call = this.#provider.refresh;
    if (call === undefined) return { kind: "failed", message: "This account cannot be refreshed." };
    return call(this.#credential, { ...this.#in.tokenCall, now: this.#in.now(), refusedPart });
  }

  /** What remains when no refresh is to be had: a token that has not expired may still work. */
  #fallback(): CredentialState {
    const { expiresAt } = this;
    if (expiresAt === null || expiresAt > this.#in.now()) return this.#usable();
    return {
      kind: "unusable",
      message: this.#stored.refreshError ?? "The credential has expired: sign in again.",
      retryAt: this.#stored.rejected ? null : this.#stored.retryAt,
    };
  }

  #usable(): CredentialState {
    return { kind: "usable", credential: this.#credential, version: this.version };
  }

  async #store(credential: unknown, change: Partial<Stored>): Promise<void> {
    const sealed = await this.#in.keyring.seal(JSON.stringify(credential), this.#in.owner);
    this.#stored = { ...this.#stored, ...change, sealed };
    this.#credential = credential;
    this.#in.storage.put(ROW, this.#stored);
  }
}
