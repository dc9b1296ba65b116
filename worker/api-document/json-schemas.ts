/** zod schemas as JSON Schema (2020-12, which OpenAPI 3.1 uses); those with an id become components. */
import { z } from "zod";

export interface JsonSchema {
  readonly [keyword: string]: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
}

const PLACE = "#/components/schemas/";

const wrappedSchema = z.object({
  properties: z.object({ it: z.record(z.string(), z.unknown()) }),
  $defs: z.record(z.string(), z.record(z.string(), z.unknown())).default({}),
});

/** Converts, and collects the components on the way. */
export function jsonSchemas() {
  const components = new Map<string, JsonSchema>();
  return {
    /** @param io what a client sends (`input`) may leave out what has a default; what it gets may not */
    convert(schema: z.ZodType, io: "input" | "output"): JsonSchema {
      // Inside another schema, one with an id is written as a reference and stands among the definitions.
      const whole = z.toJSONSchema(z.object({ it: schema }), {
        io,
        unrepresentable: "any",
        override: ({ jsonSchema }) => {
          delete jsonSchema.id;
          // Answers may get fields; whoever reads them today must not refuse them then.
          if (io === "output" && jsonSchema.additionalProperties === false)
            delete jsonSchema.additionalProperties;
        },
      });
      const text = JSON.stringify(whole).replaceAll('"#/$defs/', `"${PLACE}`);
      const { properties, $defs } = wrappedSchema.parse(JSON.parse(text));
      for (const [name, definition] of Object.entries($defs)) components.set(name, definition);
      return properties.it;
    },
    named: (): Readonly<Record<string, JsonSchema>> => Object.fromEntries(components),
  };
}
