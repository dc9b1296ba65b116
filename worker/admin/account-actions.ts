/** What can be done with an account, and what can be asked about it. */
import { Hono } from "hono";
import { z } from "zod";
import { balanceAnswerSchema } from "../domain/balance.ts";
import { RelayError } from "../domain/errors.ts";
import { PROVIDERS } from "../providers/index.ts";
import { listBoundKeys } from "../storage/bound-keys.ts";
import { requiredAccount, viewOf } from "./account-store.ts";
import { accountAnswer, boundKeyAnswer, failureAnswer, pageOf, testAnswer } from "./answers.ts";
import { documented } from "../api-document/route-facts.ts";
import { noted } from "./audited.ts";
import { offsetOf, optionalBody, pageSchema, query, type AdminEnv } from "./context.ts";
import { accountObject } from "./objects.ts";
import { eventStream } from "./event-stream.ts";
import { testAccount } from "./test-account.ts";
import { testSchema, transcribe, type TranscriptEvent } from "./test-transcript.ts";

const balanceQuerySchema = z.object({
  /** Asks the upstream. */
  fresh: z.stringbool().default(false),
});

export const accountActions = new Hono<AdminEnv>()
  .post(
    "/:id/test",
    documented("Makes one small call with an account; as an event stream where that is accepted.", {
      200: testAnswer,
    }),
    optionalBody(testSchema),
    async (context) => {
      const { env, req, executionCtx } = context;
      const config = await requiredAccount(context);
      const options = req.valid("json");
      if (req.header("accept")?.includes("text/event-stream") !== true) {
        return context.json(await testAccount(env, config, options));
      }
      const waitUntil = (work: Promise<unknown>) => {
        executionCtx.waitUntil(work);
      };
      return eventStream<TranscriptEvent>(req.raw, waitUntil, (listener) =>
        transcribe(env, config, options, listener),
      );
    },
  )
  .post("/:id/reset", documented("Ends an account's cooldowns.", { 200: accountAnswer }), async (context) => {
    const config = await requiredAccount(context);
    await accountObject(context.env, config.id).reset();
    await noted(context, "account.reset", config.id);
    return context.json(await viewOf(context, config));
  })
  .post(
    "/:id/refresh",
    documented("Refreshes an account's token.", { 200: accountAnswer }),
    async (context) => {
      const config = await requiredAccount(context);
      if (PROVIDERS.get(config.provider)?.refresh === undefined) {
        throw new RelayError("invalid_request", "This kind of account has no token to refresh.");
      }
      const result = await accountObject(context.env, config.id).refreshNow();
      if (result.kind === "invalid") throw new RelayError("invalid_request", result.message);
      await noted(context, "account.refresh", config.id);
      return context.json(await viewOf(context, config));
    },
  )
  .get(
    "/:id/errors",
    documented("What went wrong with an account lately, the newest first.", { 200: pageOf(failureAnswer) }),
    query(pageSchema),
    async (context) => {
      const { id } = await requiredAccount(context);
      const { items, total } = await accountObject(context.env, id).failures(
        offsetOf(context.req.valid("query")),
      );
      return context.json({ items, total });
    },
  )
  .get(
    "/:id/balance",
    documented("What an account has left, as last known or asked anew.", { 200: balanceAnswerSchema }),
    query(balanceQuerySchema),
    async (context) => {
      const { id } = await requiredAccount(context);
      return context.json(await accountObject(context.env, id).balance(context.req.valid("query").fresh));
    },
  )
  .delete("/:id/errors", documented("Forgets what went wrong.", { 204: null }), async (context) => {
    const { id } = await requiredAccount(context);
    await accountObject(context.env, id).forgetFailures();
    await noted(context, "account.forget_failures", id);
    return context.body(null, 204);
  })
  .get(
    "/:id/keys",
    documented("Keys that are bound to an account: without it, and without a fallback, they are refused.", {
      200: pageOf(boundKeyAnswer),
    }),
    query(pageSchema),
    async (context) => {
      const { id } = await requiredAccount(context);
      return context.json(await listBoundKeys(context.env.DB, id, offsetOf(context.req.valid("query"))));
    },
  );
