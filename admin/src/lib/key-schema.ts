/** What a key's form is checked with, and what it shows for a new key. For the server: zod is no use to a page. Pure. */
import { keyFieldsSchema, refuseInconsistency } from "./domain";
import { valuesOf } from "./key-form";
import { modelMapLines } from "./model-map-schema";

export const keyFormSchema = keyFieldsSchema.omit({ enabled: true, ownerId: true }).extend({
  modelMap: modelMapLines.pipe(keyFieldsSchema.shape.modelMap),
});

/** What no single field can know is checked for a new key, which is whole. */
export const newKeyFormSchema = keyFormSchema.superRefine((key, issues) => {
  refuseInconsistency({ ...key, enabled: true, ownerId: null }, issues);
});

/** The schema's defaults, as the form shows them; there are no times among them, so the zone does not matter. */
export const BLANK_VALUES = { ...valuesOf(keyFormSchema.parse({ name: "blank" }), "UTC"), name: "" };
