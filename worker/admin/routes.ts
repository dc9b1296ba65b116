/** The admin API: one file a resource, chained so that `hc<AdminApi>` knows every route. */
import { Hono } from "hono";
import { aliasRoutes } from "./aliases/routes.ts";
import { accountRoutes } from "./accounts.ts";
import { auditRoutes } from "./audit.ts";
import { apiDocumentRoutes } from "./api-document/routes.ts";
import { withSettings, type AdminEnv } from "./context.ts";
import { captureRoutes } from "./captures.ts";
import { feedRoutes, feedTicketRoutes } from "./feed.ts";
import { groupRoutes } from "./groups.ts";
import { keyringRoutes } from "./keyring.ts";
import { keyRoutes } from "./keys.ts";
import { deadLetterRoutes, notificationRoutes } from "./notifications.ts";
import { oauthRoutes } from "./oauth.ts";
import { overviewRoutes } from "./overview.ts";
import { peopleRoutes } from "./people.ts";
import { priceRoutes } from "./prices.ts";
import { providerRoutes } from "./providers.ts";
import { requestRoutes } from "./requests.ts";
import { requireReaderOrAdmin, requireRole, requireSession, sessionRoutes } from "./session.ts";
import { brandingRoutes, settingsRoutes } from "./settings.ts";
import { usageRoutes } from "./usage.ts";

const owned = new Hono<AdminEnv>().use(requireRole("owner")).route("/", peopleRoutes);

const audit = new Hono<AdminEnv>().use(requireRole("admin")).route("/", auditRoutes);

const keyring = new Hono<AdminEnv>().use(requireRole("admin")).route("/", keyringRoutes);

const captures = new Hono<AdminEnv>().use(requireRole("admin")).route("/", captureRoutes);

const signedIn = new Hono<AdminEnv>()
  .use(requireSession)
  .use(requireReaderOrAdmin)
  .use(withSettings)
  .route("/people", owned)
  .route("/audit", audit)
  .route("/keyring", keyring)
  .route("/captures", captures)
  .route("/overview", overviewRoutes)
  .route("/providers", providerRoutes)
  .route("/accounts/oauth", oauthRoutes)
  .route("/accounts", accountRoutes)
  .route("/groups", groupRoutes)
  .route("/keys", keyRoutes)
  .route("/notifications", notificationRoutes)
  .route("/dead-letters", deadLetterRoutes)
  .route("/requests", requestRoutes)
  .route("/settings", settingsRoutes)
  .route("/usage", usageRoutes)
  .route("/prices", priceRoutes);

const base = new Hono<AdminEnv>();

// A guard holds for what comes after it: what anybody may see comes first.
export const adminApp = base
  .route("/", sessionRoutes)
  .route("/", brandingRoutes)
  .route("/", feedRoutes)
  .route("/", feedTicketRoutes)
  .route(
    "/",
    apiDocumentRoutes(() => base.routes),
  )
  .route("/", signedIn)
  .route(
    "/",
    aliasRoutes(() => base),
  );

export type AdminApi = typeof adminApp;
