/** The name of a time zone that the runtime knows. Pure. */
import { z } from "zod";

const ZONE_LENGTH_MAX = 100;

export const timeZoneSchema = z
  .string()
  .max(ZONE_LENGTH_MAX)
  .refine((zone) => {
    try {
      new Intl.DateTimeFormat("en", { timeZone: zone });
      return true;
    } catch {
      return false;
    }
  }, "must be a time zone such as Europe/Berlin");
