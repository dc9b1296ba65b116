/** What the admin API answers of captures, as schemas. */
import { z } from "zod";
import { captureContentSchema, capturedSchema, captureSchema } from "../domain/capture.ts";

export const captureAnswer = captureSchema
  .extend({
    /** False: it has ended, by its time or its count, and is only kept. */
    running: z.boolean(),
    /** Requests kept so far. */
    kept: z.number(),
  })
  .meta({ id: "Capture" });

export const captureListAnswer = z.object({ items: z.array(captureAnswer) });
export const capturedListAnswer = z.object({ items: z.array(capturedSchema) });
export const captureContentAnswer = captureContentSchema.meta({ id: "CaptureContent" });
