/** Reads a group from its form. For the server: zod is no use to a page. Pure. */
import { groupSchema } from "./domain";
import { linesOf, textOf } from "./form-text";
import { modelMapLines } from "./model-map-schema";

export const GROUP_NAMES = ["name", "policy", "modelMap"] as const;

export const groupFormSchema = groupSchema.extend({
  modelMap: modelMapLines.pipe(groupSchema.shape.modelMap),
});

/** As entered; the schema decides what is right. */
export const readGroup = (form: FormData) => ({
  name: textOf(form, "name"),
  policy: textOf(form, "policy"),
  modelMap: linesOf(form, "modelMap"),
});
