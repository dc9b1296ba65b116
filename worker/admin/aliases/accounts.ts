/** Accounts of each kind, by the paths of claude-relay-service. */
import { z } from "zod";
import { pageOf, accountAnswer, signInAnswer, testAnswer } from "../answers.ts";
import { alias, given, single, type Alias } from "./alias.ts";
import {
  accountFromOld,
  oldAccountOf,
  oldAccountSchema,
  PLATFORMS,
  proxyFromOld,
  type Platform,
} from "./account-fields.ts";

const pasted = z.string().max(4000).optional();

/** More accounts than that are listed page by page elsewhere. */
const ALL = "limit=200";

function listAndChange(platform: Platform): Alias[] {
  const { path, provider } = platform;
  const view = (account: z.output<typeof accountAnswer>) => single(oldAccountOf(platform, account));
  return [
    alias({
      method: "GET",
      path: `/admin/${path}`,
      like: "GET /admin/accounts",
      run: async ({ ask }) => {
        const query = `?provider=${provider}&${ALL}`;
        const { items, total } = await ask(pageOf(accountAnswer), "GET", `/accounts${query}`);
        return { data: items.map((item) => oldAccountOf(platform, item)), total };
      },
    }),
    alias({
      method: "POST",
      path: `/admin/${path}`,
      like: "POST /admin/accounts",
      body: oldAccountSchema,
      run: async ({ ask, body }) =>
        view(await ask(accountAnswer, "POST", "/accounts", { ...accountFromOld(platform, body), provider })),
    }),
    alias({
      method: "GET",
      path: `/admin/${path}/:id`,
      like: "GET /admin/accounts/{id}",
      run: async ({ ask, params }) =>
        view(await ask(accountAnswer, "GET", `/accounts/${params["id"] ?? ""}`)),
    }),
    alias({
      method: "PUT",
      path: `/admin/${path}/:id`,
      like: "PATCH /admin/accounts/{id}",
      body: oldAccountSchema,
      run: async ({ ask, params, body }) =>
        view(
          await ask(
            accountAnswer,
            "PATCH",
            `/accounts/${params["id"] ?? ""}`,
            accountFromOld(platform, body),
          ),
        ),
    }),
    alias({
      method: "DELETE",
      path: `/admin/${path}/:id`,
      like: "DELETE /admin/accounts/{id}",
      run: async ({ ask, params }) => {
        await ask(z.null(), "DELETE", `/accounts/${params["id"] ?? ""}`);
        return single({ message: "The account is deleted." });
      },
    }),
  ];
}

function operate(platform: Platform): Alias[] {
  const { path } = platform;
  const view = (account: z.output<typeof accountAnswer>) => single(oldAccountOf(platform, account));
  const reset = (name: string) =>
    alias({
      method: "POST",
      path: `/admin/${path}/:id/${name}`,
      like: "POST /admin/accounts/{id}/reset",
      run: async ({ ask, params }) =>
        view(await ask(accountAnswer, "POST", `/accounts/${params["id"] ?? ""}/reset`)),
    });
  return [
    alias({
      method: "PUT",
      path: `/admin/${path}/:id/toggle`,
      like: "PATCH /admin/accounts/{id}",
      run: async ({ ask, params }) => {
        const place = `/accounts/${params["id"] ?? ""}`;
        const { enabled } = await ask(accountAnswer, "GET", place);
        return view(await ask(accountAnswer, "PATCH", place, { enabled: !enabled }));
      },
    }),
    alias({
      method: "PUT",
      path: `/admin/${path}/:id/toggle-schedulable`,
      like: "PATCH /admin/accounts/{id}",
      run: async ({ ask, params }) => {
        const place = `/accounts/${params["id"] ?? ""}`;
        const { schedulable } = await ask(accountAnswer, "GET", place);
        return view(await ask(accountAnswer, "PATCH", place, { schedulable: !schedulable }));
      },
    }),
    reset("reset-status"),
    reset("reset-rate-limit"),
    alias({
      method: "POST",
      path: `/admin/${path}/:id/test`,
      like: "POST /admin/accounts/{id}/test",
      run: async ({ ask, params }) =>
        single(await ask(testAnswer, "POST", `/accounts/${params["id"] ?? ""}/test`)),
    }),
    alias({
      method: "POST",
      path: `/admin/${path}/:id/refresh`,
      like: "POST /admin/accounts/{id}/refresh",
      run: async ({ ask, params }) =>
        view(await ask(accountAnswer, "POST", `/accounts/${params["id"] ?? ""}/refresh`)),
    }),
  ];
}

/** The exchange makes the account at once: tokens are handed to nobody, so there is nothing to post afterwards. */
function signIn(platform: Platform): Alias[] {
  const { path, provider } = platform;
  return [
    alias({
      method: "POST",
      path: `/admin/${path}/generate-auth-url`,
      like: "POST /admin/accounts/oauth/start",
      body: z.strictObject({ proxy: z.unknown().optional() }),
      run: async ({ ask, body }) => {
        const proxy = proxyFromOld(body.proxy);
        const started = await ask(signInAnswer, "POST", "/accounts/oauth/start", given({ provider, proxy }));
        return single({ ...started, authUrl: started.url });
      },
    }),
    alias({
      method: "POST",
      path: `/admin/${path}/exchange-code`,
      like: "POST /admin/accounts/oauth/exchange",
      body: oldAccountSchema.extend({
        sessionId: z.string(),
        authorizationCode: pasted,
        callbackUrl: pasted,
        code: pasted,
      }),
      run: async ({ ask, body }) => {
        const { sessionId, authorizationCode, callbackUrl, code, ...entered } = body;
        const { credential: _, ...account } = accountFromOld(platform, entered);
        const created = await ask(accountAnswer, "POST", "/accounts/oauth/exchange", {
          sessionId,
          code: callbackUrl ?? authorizationCode ?? code,
          account: { name: provider, ...account },
        });
        return single(oldAccountOf(platform, created));
      },
    }),
  ];
}

/** Kinds of accounts whose sign-in is a page with a code. */
const WITH_CODE = ["claude-oauth", "openai-oauth", "gemini-oauth"];

export const accountAliases: readonly Alias[] = PLATFORMS.flatMap((platform) => [
  ...(WITH_CODE.includes(platform.provider) ? signIn(platform) : []),
  ...listAndChange(platform),
  ...operate(platform),
]);
