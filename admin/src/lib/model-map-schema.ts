/** A model map as forms send it. For the server: zod is no use to a page. Pure. */
import { z } from "zod";
import { readModelMap } from "./model-map";

/** The map is entered as lines, so that what is wrong with one can be said of it. */
export const modelMapLines = z
  .array(z.string())
  .optional()
  .transform((lines, issues) => {
    if (lines === undefined) return undefined;
    const { map, problem } = readModelMap(lines);
    if (problem === null) return map;
    issues.addIssue(problem);
    return z.NEVER;
  });
