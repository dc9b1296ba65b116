/** A list of models in OpenAI's shape. Pure. */
import type { OfferedModel } from "../protocol.ts";

export const renderModels = (models: readonly OfferedModel[]) => ({
  object: "list",
  // Release dates are nobody's business here, but clients expect one.
  data: models.map(({ id }) => ({ id, object: "model", created: 0, owned_by: "edge-relay" })),
});
