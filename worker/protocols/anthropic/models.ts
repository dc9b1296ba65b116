/** A list of models in the shapes of Anthropic and of OpenAI at once: both vendors' clients ask for `/v1/models`. Pure. */
import type { OfferedModel } from "../protocol.ts";

/** Release dates are nobody's business here, but clients expect one. */
const NO_DATE = new Date(0).toISOString();

export const renderModels = (models: readonly OfferedModel[]) => ({
  object: "list",
  data: models.map(({ id, name }) => ({
    type: "model",
    id,
    display_name: name,
    created_at: NO_DATE,
    object: "model",
    created: 0,
    owned_by: "edge-relay",
  })),
  has_more: false,
  first_id: models[0]?.id ?? null,
  last_id: models.at(-1)?.id ?? null,
});
