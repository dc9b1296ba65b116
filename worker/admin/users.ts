/** `/users`: what people do for themselves, at the paths that clients of older relays know. */
import { Hono, type Context } from "hono";
import type { Person } from "../domain/person.ts";
import { profileAnswer, registeredAnswer, signedOutAnswer, userLoginAnswer } from "./people-answers.ts";
import { documented } from "../api-document/route-facts.ts";
import { body, type AdminEnv } from "./context.ts";
import { changeMe, meOf, ownPatchSchema } from "./own-account.ts";
import { ownKeyRoutes } from "./own-keys.ts";
import { ownUsageRoutes } from "./own-usage.ts";
import { register, registrationSchema } from "./registration.ts";
import { credentialsSchema, loggedIn } from "./sign-in-routes.ts";
import { endSession, requireSession } from "./session.ts";

const userOf = ({ id, username, name, email, role }: Person) => ({ id, username, name, email, role });

type Me = Awaited<ReturnType<typeof meOf>>;

const profileOf = (user: Me) => ({
  success: true,
  user,
  config: { maxApiKeysPerUser: user.keysMax, allowUserDeleteApiKeys: true },
});

/** Whether the password is enough or not, as older clients read it. */
async function userLogin(context: Context<AdminEnv>, credentials: Parameters<typeof loggedIn>[1]) {
  const { person, answer } = await loggedIn(context, credentials);
  if ("factor" in answer) return { success: true, ...answer };
  return { success: true, user: userOf(person), sessionToken: answer.token, ...answer };
}

const own = new Hono<AdminEnv>()
  .use(requireSession)
  .get("/profile", documented("Who is signed in.", { 200: profileAnswer }), async (context) =>
    context.json(profileOf(await meOf(context, context.get("person")))),
  )
  .patch(
    "/profile",
    documented(
      "Changes one's own name, address or password; a new password ends all other sessions.",
      { 200: profileAnswer },
      ["rate_limited"],
    ),
    body(ownPatchSchema),
    async (context) => context.json(profileOf(await changeMe(context, context.req.valid("json")))),
  )
  .route("/api-keys", ownKeyRoutes)
  .route("/", ownUsageRoutes);

export const userRoutes = new Hono<AdminEnv>()
  .post(
    "/register",
    documented(
      "Makes somebody a user, where the deployment lets people register.",
      { 201: registeredAnswer },
      ["permission_denied", "rate_limited", "conflict"],
    ),
    body(registrationSchema),
    async (context) => {
      const person = await register(context, context.req.valid("json"));
      return context.json({ success: true, user: userOf(person) }, 201);
    },
  )
  .post(
    "/login",
    documented("Begins a session, or asks for a second factor.", { 200: userLoginAnswer }, [
      "unauthenticated",
      "rate_limited",
    ]),
    body(credentialsSchema),
    async (context) => context.json(await userLogin(context, context.req.valid("json"))),
  )
  .post(
    "/logout",
    documented("Ends the session, if there is one.", { 200: signedOutAnswer }),
    async (context) => {
      await endSession(context);
      return context.json({ success: true });
    },
  )
  .route("/", own);
