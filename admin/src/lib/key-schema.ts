/** What a key's form is checked with, and what it shows for a new key. For the server: zod is no use to a page. Pure. */
import { keyFieldsSchema } from "./domain";
import { valuesOf } from "./key-form";

export const keyFormSchema = keyFieldsSchema.omit({ enabled: true });

/** The schema's defaults, as the form shows them; there are no times among them, so the zone does not matter. */
export const BLANK_VALUES = { ...valuesOf(keyFormSchema.parse({ name: "blank" }), "UTC"), name: "" };
