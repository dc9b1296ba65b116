/** One request by its id: its record, and how it found its account. */
import { Hono } from "hono";
import { requestIdSchema } from "../domain/ids.ts";
import { findRequest } from "../storage/usage-list.ts";
import { requestAnswer } from "./answers.ts";
import { documented } from "../api-document/route-facts.ts";
import { idParam, notFound, type AdminEnv } from "./context.ts";

export const requestRoutes = new Hono<AdminEnv>().get(
  "/:id",
  documented("Shows a request: its record, and how it found its account.", { 200: requestAnswer }),
  async (context) => {
    const request = await findRequest(context.env.DB, idParam(requestIdSchema, context.req.param("id")));
    if (request === null) throw notFound();
    return context.json(request);
  },
);
