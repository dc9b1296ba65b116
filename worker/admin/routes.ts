/** The admin API: one file a resource, chained so that `hc<AdminApi>` knows every route. */
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { RelayError } from "../domain/errors.ts";
import { aliasRoutes, openAliasRoutes, ownAliasRoutes } from "./aliases/routes.ts";
import { accountRoutes } from "./accounts.ts";
import { auditRoutes } from "./audit.ts";
import { apiDocumentRoutes } from "./api-document.ts";
import { cardRoutes, redemptionRoutes } from "./cards.ts";
import { untilItHolds, withSettings, type AdminEnv } from "./context.ts";
import { captureRoutes } from "./captures.ts";
import { feedRoutes, feedTicketRoutes } from "./feed.ts";
import { groupRoutes } from "./groups.ts";
import { keyTagRoutes } from "./key-tags.ts";
import { keyringRoutes } from "./keyring.ts";
import { keyRoutes } from "./keys.ts";
import { meRoutes } from "./me.ts";
import { deadLetterRoutes, notificationRoutes } from "./notifications.ts";
import { oauthRoutes } from "./oauth.ts";
import { oidcRoutes } from "./oidc.ts";
import { overviewRoutes } from "./overview.ts";
import { peopleRoutes } from "./people.ts";
import { priceRoutes } from "./prices.ts";
import { providerRoutes } from "./providers.ts";
import { proxyRoutes } from "./proxies.ts";
import { requestRoutes } from "./requests.ts";
import { publicRoutes } from "../public/routes.ts";
import { requireReaderOrAdmin, requireRole, requireSession } from "./session.ts";
import { brandingRoutes, settingsRoutes } from "./settings.ts";
import { signInRoutes } from "./sign-in-routes.ts";
import { directoryTestRoutes, signInWayRoutes } from "./sign-in-ways.ts";
import { usageRoutes } from "./usage.ts";
import { userRoutes } from "./users.ts";

const owned = new Hono<AdminEnv>().use(requireRole("owner")).route("/", peopleRoutes);

const audit = new Hono<AdminEnv>().use(requireRole("admin")).route("/", auditRoutes);

const keyring = new Hono<AdminEnv>().use(requireRole("admin")).route("/", keyringRoutes);

const captures = new Hono<AdminEnv>().use(requireRole("admin")).route("/", captureRoutes);

const signedIn = new Hono<AdminEnv>()
  .use(requireSession)
  .use(requireReaderOrAdmin)
  .route("/people", owned)
  .route("/audit", audit)
  .route("/keyring", keyring)
  .route("/captures", captures)
  .route("/overview", overviewRoutes)
  .route("/providers", providerRoutes)
  .route("/accounts/oauth", oauthRoutes)
  .route("/accounts", accountRoutes)
  .route("/proxies", proxyRoutes)
  .route("/groups", groupRoutes)
  .route("/keys", keyRoutes)
  .route("/key-tags", keyTagRoutes)
  .route("/cards", cardRoutes)
  .route("/redemptions", redemptionRoutes)
  .route("/notifications", notificationRoutes)
  .route("/dead-letters", deadLetterRoutes)
  .route("/requests", requestRoutes)
  .route("/settings", settingsRoutes)
  .route("/usage", usageRoutes)
  .route("/prices", priceRoutes)
  .route("/sign-in", directoryTestRoutes);

const base = new Hono<AdminEnv>();

/** What the document has: everything here, and what holders of keys may ask. */
export const documentedRoutes = () => [...base.routes, ...new Hono().route("/public", publicRoutes).routes];

// A guard holds for what comes after it: what anybody may see comes first.
/** The largest there is, five hundred keys at once with all they may have, is a third of it. */
const BODY_BYTES_MAX = 1_000_000;
const withBodyLimit = bodyLimit({
  maxSize: BODY_BYTES_MAX,
  onError: () => {
    throw new RelayError("payload_too_large", `The body is larger than ${String(BODY_BYTES_MAX)} bytes.`);
  },
});

export const adminApp = base
  .use("/admin/*", withBodyLimit)
  .use("/users/*", withBodyLimit)
  .use("/web/*", withBodyLimit)
  .use("/admin/*", withSettings, untilItHolds)
  .use("/users/*", withSettings, untilItHolds)
  .use("/web/*", withSettings, untilItHolds)
  .route(
    "/",
    openAliasRoutes(() => base),
  )
  .route("/admin", signInRoutes)
  .route("/admin", signInWayRoutes)
  .route("/admin", oidcRoutes)
  .route("/admin", brandingRoutes)
  .route("/admin", feedRoutes)
  .route("/admin", feedTicketRoutes)
  .route("/admin/me", meRoutes)
  .route("/admin", apiDocumentRoutes(documentedRoutes))
  .route("/admin", signedIn)
  .route(
    "/",
    aliasRoutes(() => base),
  )
  .route(
    "/",
    ownAliasRoutes(() => base),
  )
  .route("/users", userRoutes);

export type AdminApi = typeof adminApp;
