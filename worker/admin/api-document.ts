/** The API's document, for programs and for people. It says nothing that the source does not, so anybody may see it. */
import { Hono } from "hono";
import { z } from "zod";
import type { AdminEnv } from "./context.ts";
import { apiDocument } from "../api-document/document.ts";
import { apiPage } from "../api-document/page.ts";
import { documented } from "../api-document/route-facts.ts";

/** Nothing but the page's own style: no script, no frame, nothing from elsewhere. */
const policy = (nonce: string): string =>
  `default-src 'none'; style-src 'nonce-${nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

/** @param handlers asked for when the document is, since its own routes are among them */
export const apiDocumentRoutes = (handlers: () => Parameters<typeof apiDocument>[0]) =>
  new Hono<AdminEnv>()
    .get(
      "/openapi.json",
      documented("This document, as OpenAPI 3.1.", { 200: z.record(z.string(), z.unknown()) }),
      (context) => context.json(apiDocument(handlers())),
    )
    .get("/docs", documented("This document, as a page.", { 200: "text/html" }), (context) => {
      const nonce = crypto.randomUUID();
      context.header("content-security-policy", policy(nonce));
      context.header("x-content-type-options", "nosniff");
      context.header("referrer-policy", "no-referrer");
      return context.html(apiPage(apiDocument(handlers()), nonce));
    });
