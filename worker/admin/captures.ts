/** Captures of what one key's requests say: started, read and stopped by admins, and all of that written down. */
import { Hono, type Context } from "hono";
import { captureInputSchema, type Capture } from "../domain/capture.ts";
import { RelayError } from "../domain/errors.ts";
import { keyIdSchema, requestIdSchema } from "../domain/ids.ts";
import {
  deleteCaptureStatement,
  findCapture,
  listCaptures,
  saveCaptureStatements,
} from "../storage/captures.ts";
import { findKey, type StoredKey } from "../storage/keys.ts";
import { documented } from "../api-document/route-facts.ts";
import { audited, noted } from "./audited.ts";
import {
  captureAnswer,
  captureContentAnswer,
  capturedListAnswer,
  captureListAnswer,
} from "./capture-answers.ts";
import { body, idParam, notFound, type AdminEnv } from "./context.ts";
import { editKey } from "./key-saving.ts";
import { captureObject } from "./objects.ts";

const MINUTE_MS = 60_000;
/** What an admin has not looked at by then, nobody will. */
const KEPT_MS = 7 * 86_400_000;

async function viewOf({ env }: Context<AdminEnv>, capture: Capture) {
  const kept = (await captureObject(env, capture.keyId).list())?.length ?? 0;
  return { ...capture, running: Date.now() < capture.until && kept < capture.count, kept };
}

/** The capture of the path. @throws RelayError `not_found` */
async function requiredCapture(context: Context<AdminEnv>): Promise<Capture> {
  const keyId = idParam(keyIdSchema, context.req.param("keyId") ?? "");
  const capture = await findCapture(context.env.DB, keyId, Date.now());
  if (capture === null) throw notFound();
  return capture;
}

/** The key says that it is captured until then, or not any more, to the relay and to its holder. */
async function mark(context: Context<AdminEnv>, capture: Capture, isOn: boolean): Promise<void> {
  const { DB } = context.env;
  const { keyId, ...facts } = capture;
  const action = isOn ? "capture.start" : "capture.stop";
  const note = isOn ? { after: facts } : { before: facts };
  const statements = isOn ? saveCaptureStatements(DB, capture) : [deleteCaptureStatement(DB, keyId)];
  const found = await findKey(DB, keyId);
  if (found === null) {
    await audited(context, action, keyId, note)(statements);
    return;
  }
  const captureUntil = isOn ? capture.until : null;
  const edit = (key: StoredKey) => ({ ...key, config: { ...key.config, captureUntil } });
  await editKey(context, found, { action, statements, note }, edit);
}

export const captureRoutes = new Hono<AdminEnv>()
  .get(
    "/",
    documented("Lists the keys whose requests are captured, or kept from before.", {
      200: captureListAnswer,
    }),
    async (context) => {
      const captures = await listCaptures(context.env.DB, Date.now());
      return context.json({ items: await Promise.all(captures.map((each) => viewOf(context, each))) });
    },
  )
  .post(
    "/",
    documented("Captures what a key's next requests say, for a while.", { 201: captureAnswer }, [
      "not_found",
      "conflict",
    ]),
    body(captureInputSchema),
    async (context) => {
      const { keyId, minutes, count, bytes } = context.req.valid("json");
      const startedAt = Date.now();
      if ((await findKey(context.env.DB, keyId)) === null) throw notFound();
      if ((await findCapture(context.env.DB, keyId, startedAt)) !== null) {
        const message = `There is a capture of this key: DELETE /admin/captures/${keyId} erases it.`;
        throw new RelayError("conflict", message);
      }
      const until = startedAt + minutes * MINUTE_MS;
      const capture: Capture = { keyId, startedAt, until, eraseAt: startedAt + KEPT_MS, count, bytes };
      await captureObject(context.env, keyId).start(capture);
      await mark(context, capture, true);
      return context.json(await viewOf(context, capture), 201);
    },
  )
  .delete("/:keyId", documented("Stops a key's capture and erases it.", { 204: null }), async (context) => {
    const capture = await requiredCapture(context);
    await captureObject(context.env, capture.keyId).erase();
    await mark(context, capture, false);
    return context.body(null, 204);
  })
  .get(
    "/:keyId",
    documented("Lists the captured requests of a key, without what they say.", { 200: capturedListAnswer }),
    async (context) => {
      const { keyId } = await requiredCapture(context);
      const items = (await captureObject(context.env, keyId).list()) ?? [];
      return context.json({ items: [...items] });
    },
  )
  .get(
    "/:keyId/:requestId",
    documented("Shows what a captured request and its answer say.", { 200: captureContentAnswer }, [
      "conflict",
    ]),
    async (context) => {
      const { keyId } = await requiredCapture(context);
      const requestId = idParam(requestIdSchema, context.req.param("requestId"));
      const reading = await captureObject(context.env, keyId).read(requestId);
      if (reading.kind === "missing") throw notFound();
      // Written down before it is shown.
      await noted(context, "capture.read", keyId, { after: { requestId } });
      if (reading.kind === "sealed") throw new RelayError("conflict", reading.message);
      return context.json(reading.content);
    },
  );
