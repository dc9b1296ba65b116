/** OpenAI's calls that answer with one JSON object and never stream: embeddings and pictures. Pure. */
import type { Usage } from "./behaviour.ts";
import type { Dialect } from "./dialect.ts";
import { chatDialect } from "./openai-chat.ts";
import { inAnthropicForm, openAiFigures } from "./openai.ts";
import { textOf } from "./record.ts";

const withoutOutput = (usage: Usage): Usage => ({ ...usage, output_tokens: 0 });

export const plainDialect: Dialect = {
  ...chatDialect,
  normalize: (body) => {
    const content = textOf(body["input"], textOf(body["prompt"]));
    return content === "" ? null : inAnthropicForm({ model: body["model"] }, [{ role: "user", content }]);
  },
  missing: "Missing required parameter: 'input'.",
  told: withoutOutput,
  json: (reply, shape) => {
    const { input, total } = openAiFigures(withoutOutput(reply.usage));
    const usage = { prompt_tokens: input, total_tokens: total };
    const data = [{ object: "embedding", index: 0, embedding: [0.25, -0.5] }];
    return JSON.stringify({
      object: "list",
      model: reply.model,
      data,
      ...(shape.omitUsage === true ? {} : { usage }),
    });
  },
};
