/** The models a list may offer, newest first. Pure. */
import type { PricedModel, PriceTable } from "./table.ts";

export interface KnownModel {
  readonly id: string;
  readonly vendor: string;
  readonly name: string;
  readonly contextWindow: number | null;
}

/**
 * Models that are not deprecated. The table has no release dates, so the version in the id stands for
 * age; models of one version keep the table's order.
 */
export function knownModels(table: PriceTable): readonly KnownModel[] {
  return table.models
    .filter((model) => !model.deprecated)
    .toSorted((a, b) => versionOf(b) - versionOf(a))
    .map(({ id, provider, name, contextWindow }) => ({ id, vendor: provider, name, contextWindow }));
}

/**
/**
 * `claude-opus-4-8` gives 4008, `gpt-5.6-sol` 5006, `gemini-2.5-flash-lite` 2005 and `claude-opus-5` 5000: comparable
 * as long as a minor version is below 1000.
 */
function versionOf(model: PricedModel): number {
  const [, major = "0", minor = "0"] = /-(\d+)(?:[-.](\d+))?(?:-[a-z]+)*$/.exec(model.id) ?? [];
  return Number(major) * 1000 + Number(minor);
}
