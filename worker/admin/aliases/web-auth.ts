/** Signing in, by the paths of claude-relay-service. */
import { z } from "zod";
import { okAnswer } from "../answers.ts";
import { loginAnswer, meAnswer } from "../people-answers.ts";
import { credentialsSchema } from "../sign-in-routes.ts";
import { alias, single, type Alias } from "./alias.ts";

export const openAuthAliases: readonly Alias[] = [
  alias({
    method: "POST",
    path: "/web/auth/login",
    like: "POST /admin/login",
    body: credentialsSchema,
    run: async ({ ask, body }) => {
      const answer = await ask(loginAnswer, "POST", "/login", body);
      if ("factor" in answer) return answer;
      return { ...answer, expiresIn: answer.expiresAt - Date.now(), username: body.username };
    },
  }),
  alias({
    method: "POST",
    path: "/web/auth/logout",
    like: "POST /admin/logout",
    run: async ({ ask }) => ask(okAnswer, "POST", "/logout"),
  }),
];

export const authAliases: readonly Alias[] = [
  alias({
    method: "GET",
    path: "/web/auth/user",
    like: "GET /admin/me",
    run: async ({ ask }) => {
      const user = await ask(meAnswer, "GET", "/me");
      return { ...single(user), user };
    },
  }),
  alias({
    method: "POST",
    path: "/web/auth/change-password",
    like: "PATCH /admin/me",
    body: z.object({ currentPassword: z.string().max(1000), newPassword: z.string().max(1000) }),
    run: async ({ ask, body: { currentPassword, newPassword } }) => {
      const { username } = await ask(meAnswer, "PATCH", "/me", { currentPassword, password: newPassword });
      return single({ message: "The password is changed.", newUsername: username });
    },
  }),
];
