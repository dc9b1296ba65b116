/** A list of models as Google's API gives it. Pure. */
import type { OfferedModel } from "../protocol.ts";
import { METHODS } from "./paths.ts";

export const renderModel = ({ id, name }: OfferedModel) => ({
  name: `models/${id}`,
  baseModelId: id,
  version: "001",
  displayName: name,
  supportedGenerationMethods: METHODS,
});

export const renderModels = (models: readonly OfferedModel[]) => ({ models: models.map(renderModel) });
