/** The keys that secrets are sealed with: which are still needed, and the move to the newest. Never a key itself. */
import { Hono } from "hono";
import { z } from "zod";
import { keyIdsOf, resealSome } from "../keyring/reseal.ts";
import { countToCheck, isNotifierDone, keyCounts } from "../storage/keyring-checks.ts";
import { documented } from "../api-document/route-facts.ts";
import { noted } from "./audited.ts";
import type { AdminEnv } from "./context.ts";

const keyringAnswer = z
  .object({
    newest: z.string(),
    keys: z.array(
      z.object({
        id: z.string(),
        /** False: something was sealed with a key that is missing from ENCRYPTION_KEYS. */
        inRing: z.boolean(),
        /** Accounts, shared proxies, and the notifier. */
        objects: z.number(),
        /** Sign-ins that wait for their code; they are over within ten minutes. */
        signIns: z.number(),
        /** Seeds of authenticator apps. */
        seeds: z.number(),
        /** Rows of the audit log that only this key can verify. */
        auditEntries: z.number(),
      }),
    ),
    /** Objects that are not known to use the newest key only: until there are none, take no key away. */
    left: z.number(),
  })
  .meta({ id: "Keyring" });

const resealedAnswer = z.object({ checked: z.number(), left: z.number() }).meta({ id: "Resealed" });

export const keyringRoutes = new Hono<AdminEnv>()
  .get(
    "/",
    documented("Shows which keys of the keyring are still in use.", { 200: keyringAnswer }),
    async (context) => {
      const { env } = context;
      const ring = keyIdsOf(env);
      const [newest = ""] = ring;
      const { objects, signIns, seeds, auditEntries } = await keyCounts(env.DB, Date.now());
      const left = await countToCheck(env.DB, newest);
      const ids = new Set([
        ...ring,
        ...objects.keys(),
        ...signIns.keys(),
        ...seeds.keys(),
        ...auditEntries.keys(),
      ]);
      return context.json({
        newest,
        keys: [...ids].map((id) => ({
          id,
          inRing: ring.includes(id),
          objects: objects.get(id) ?? 0,
          signIns: signIns.get(id) ?? 0,
          seeds: seeds.get(id) ?? 0,
          auditEntries: auditEntries.get(id) ?? 0,
        })),
        left: left + ((await isNotifierDone(env.DB, newest)) ? 0 : 1),
      });
    },
  )
  .post(
    "/rotate",
    documented("Seals secrets under older keys with the newest, some objects each time.", {
      200: resealedAnswer,
    }),
    async (context) => {
      const resealed = await resealSome(context.env, Date.now());
      await noted(context, "keyring.rotate", "keyring", { after: { ...resealed } });
      return context.json(resealed);
    },
  );
