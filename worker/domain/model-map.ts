/** Which model is asked for where a client asks for another. Pure. */
import { z } from "zod";
import { fitsAny } from "./wildcard.ts";

/** To the model on the right where a client asks for one that fits the left; `*` is a wildcard there. */
export const modelMapSchema = z
  .record(z.string().min(1).max(200), z.string().min(1).max(200))
  .refine((map) => Object.keys(map).length <= 200, "must not have more than 200 entries");
export type ModelMap = Readonly<z.infer<typeof modelMapSchema>>;

/** The exact name counts before patterns, and patterns count in the order in which they were entered. */
export function mappedModel(map: ModelMap, model: string): string {
  const patterns = Object.keys(map);
  if (patterns.length === 0) return model;
  const exact = patterns.find((pattern) => pattern.toLowerCase() === model.toLowerCase());
  const found = exact ?? patterns.find((pattern) => fitsAny([pattern], model));
  return (found === undefined ? undefined : map[found]) ?? model;
}

/** Whether the map says anything of this model. */
export const mapsModel = (map: ModelMap, model: string): boolean => fitsAny(Object.keys(map), model);
