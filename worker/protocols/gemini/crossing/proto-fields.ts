/** Objects as protobuf's JSON mapping lets them be written. Pure. */
import { isObject } from "../usage.ts";

const camelCase = (name: string): string =>
  name.replace(/_+([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());

/**
 * Fields in one spelling, of which there are two (`inlineData`, `inline_data`), without those that are null, which
 * means absent. What is no object stays as it is.
 */
export function protoFields(value: unknown): unknown {
  if (!isObject(value)) return value;
  const present = Object.entries(value).filter(([, inner]) => inner !== null);
  const snake = present.filter(([name]) => name.includes("_"));
  const camel = present.filter(([name]) => !name.includes("_"));
  return Object.fromEntries([...snake.map(([name, inner]) => [camelCase(name), inner] as const), ...camel]);
}
