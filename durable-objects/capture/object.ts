/** What was captured of one key's requests: sealed in this object's own storage, and nowhere else. */
import { DurableObject } from "cloudflare:workers";
import { z } from "zod";
import {
  capturedSchema,
  type Capture,
  type Captured,
  type CaptureDraft,
} from "../../worker/domain/capture.ts";
import type { EpochMs, KeyId, RequestId } from "../../worker/domain/ids.ts";
import { parseEnv } from "../../worker/env.ts";
import { MissingKey, parseKeyring, type Keyring, type Sealed } from "../../worker/storage/seal.ts";
import type { CaptureContract, CaptureReading } from "./contract.ts";
import * as machine from "./state.ts";

const ROW = "capture";

const sealed = z.string().transform((text) => text as Sealed);
const rowSchema = z.object({ facts: z.string(), request: sealed, response: sealed });

const factsOf = (json: string): Captured => capturedSchema.parse(JSON.parse(json));

/** Neither another key's nor another request's text opens in its place. */
const ownerOf = (keyId: KeyId, requestId: RequestId, part: "request" | "response") =>
  `${keyId}/${requestId}/${part}`;

export class CaptureObject extends DurableObject implements CaptureContract {
  readonly #keyring: Promise<Keyring>;

  constructor(ctx: DurableObjectState, rawEnv: Cloudflare.Env) {
    super(ctx, rawEnv);
    this.#keyring = parseKeyring(parseEnv(rawEnv).ENCRYPTION_KEYS);
  }

  get #state(): machine.CaptureState | null {
    const row: unknown = this.ctx.storage.kv.get(ROW);
    return row === undefined ? null : machine.captureStateSchema.parse(row);
  }

  async start(capture: Capture): Promise<void> {
    await this.erase();
    const state = machine.started(capture);
    this.ctx.storage.kv.put(ROW, state);
    this.ctx.storage.sql.exec(
      "CREATE TABLE item (request_id TEXT PRIMARY KEY, facts TEXT NOT NULL, request TEXT NOT NULL, response TEXT NOT NULL)",
    );
    await this.ctx.storage.setAlarm(machine.nextWakeAt(state, capture.startedAt));
  }

  async keep(draft: CaptureDraft, until: EpochMs): Promise<boolean> {
    const before = this.#state;
    if (!machine.takes(before, until, Date.now())) return false;
    const request = machine.cutText(draft.request, before.bytes);
    const response = machine.cutText(draft.response, before.bytes);
    const facts: Captured = {
      requestId: draft.requestId,
      at: draft.at,
      status: draft.status,
      whole: draft.whole,
      request: { bytes: draft.request.bytes, cut: request.cut },
      response: { bytes: draft.response.bytes, cut: response.cut },
    };
    const keyring = await this.#keyring;
    const seal = (part: "request" | "response", { text }: machine.CutText) =>
      keyring.seal(text, ownerOf(before.keyId, draft.requestId, part));
    const [sealedRequest, sealedResponse] = [
      await seal("request", request),
      await seal("response", response),
    ];
    // Others may have come, or the end, while it was sealed.
    const state = this.#state;
    if (!machine.takes(state, until, Date.now())) return false;
    const { rowsWritten } = this.ctx.storage.sql.exec(
      "INSERT INTO item VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
      draft.requestId,
      JSON.stringify(facts),
      sealedRequest,
      sealedResponse,
    );
    const after = rowsWritten > 0 ? machine.withOneMore(state) : state;
    this.ctx.storage.kv.put(ROW, after);
    return machine.takes(after, until, Date.now());
  }

  async list(): Promise<readonly Captured[] | null> {
    if (this.#state === null) return null;
    const rows = this.ctx.storage.sql.exec("SELECT facts FROM item ORDER BY request_id DESC").toArray();
    return rows.map((row) => factsOf(z.object({ facts: z.string() }).parse(row).facts));
  }

  async read(requestId: RequestId): Promise<CaptureReading> {
    const state = this.#state;
    if (state === null) return { kind: "missing" };
    const [row] = this.ctx.storage.sql
      .exec("SELECT facts, request, response FROM item WHERE request_id = ?", requestId)
      .toArray();
    if (row === undefined) return { kind: "missing" };
    const { facts, request, response } = rowSchema.parse(row);
    const keyring = await this.#keyring;
    const open = async (part: "request" | "response", text: Sealed) =>
      (await keyring.open(text, ownerOf(state.keyId, requestId, part))).plaintext;
    try {
      const content = {
        ...factsOf(facts),
        requestText: await open("request", request),
        responseText: await open("response", response),
      };
      return { kind: "read", content };
    } catch (error) {
      if (error instanceof MissingKey) return { kind: "sealed", message: error.message };
      throw error;
    }
  }

  async erase(): Promise<void> {
    await this.ctx.storage.deleteAlarm();
    await this.ctx.storage.deleteAll();
  }

  override async alarm(): Promise<void> {
    const state = this.#state;
    if (state === null) return;
    const now = Date.now();
    if (machine.isOver(state, now)) await this.erase();
    else await this.ctx.storage.setAlarm(machine.nextWakeAt(state, now));
  }
}
