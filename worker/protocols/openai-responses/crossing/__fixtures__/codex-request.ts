/** A call as Codex 0.169.0 makes it in the middle of a session, with its prompts shortened. */

const PATCH_GRAMMAR = 'start: begin_patch hunk+ end_patch\nbegin_patch: "*** Begin Patch" LF';

export const CODEX_REQUEST = {
  model: "claude-opus-5-5",
  stream: true,
  store: false,
  include: ["reasoning.encrypted_content"],
  prompt_cache_key: "019b2f3e-7f0a-7c11-9a55-0c2f5c1d2e3f",
  client_metadata: { "x-codex-installation-id": "4f6c" },
  parallel_tool_calls: true,
  tool_choice: "auto",
  reasoning: { effort: "high", summary: "auto" },
  text: { verbosity: "medium" },
  input: [
    {
      type: "message",
      role: "developer",
      content: [
        { type: "input_text", text: "You are a coding agent running in the Codex CLI." },
        { type: "input_text", text: "Approvals are never asked for." },
      ],
    },
    {
      type: "message",
      role: "user",
      content: [{ type: "input_text", text: "<environment_context>/repo</environment_context>" }],
    },
    { type: "message", role: "user", content: [{ type: "input_text", text: "Rename the flag." }] },
    {
      type: "reasoning",
      summary: [{ type: "summary_text", text: "I should look first." }],
      content: null,
      encrypted_content: "anthropic#EqQBCkgIAhABGAI=",
    },
    {
      type: "message",
      role: "assistant",
      content: [{ type: "output_text", text: "Looking." }],
      phase: "commentary",
    },
    {
      type: "function_call",
      name: "exec_command",
      arguments: '{"cmd":"rg flag"}',
      call_id: "toolu_01",
    },
    {
      type: "function_call",
      name: "spawn_agent",
      namespace: "multi_agent_v1",
      arguments: '{"prompt":"Read the docs."}',
      call_id: "toolu_02",
    },
    { type: "function_call_output", call_id: "toolu_01", output: "src/flags.ts:3: flag" },
    {
      type: "function_call_output",
      call_id: "toolu_02",
      output: [
        { type: "input_text", text: "A picture:" },
        { type: "input_image", image_url: "data:image/png;base64,iVBORw0KGgo=" },
      ],
    },
    {
      type: "custom_tool_call",
      status: "completed",
      call_id: "toolu_03",
      name: "apply_patch",
      input: "*** Begin Patch\n*** End Patch",
    },
    { type: "custom_tool_call_output", call_id: "toolu_03", output: "Done." },
    { type: "web_search_call", status: "completed", action: { type: "search", query: "flags" } },
    { type: "message", role: "user", content: [{ type: "input_text", text: "Go on." }] },
  ],
  tools: [
    {
      type: "function",
      name: "exec_command",
      description: "Runs a command.",
      strict: false,
      parameters: {
        type: "object",
        properties: { cmd: { type: "string" } },
        required: ["cmd"],
        additionalProperties: false,
      },
    },
    {
      type: "function",
      name: "write_stdin",
      description: "Writes to a command that runs.",
      strict: false,
      parameters: { type: "object", properties: { session_id: { type: "number" } } },
    },
    {
      type: "custom",
      name: "apply_patch",
      description: "Use the `apply_patch` tool to edit files.",
      format: { type: "grammar", syntax: "lark", definition: PATCH_GRAMMAR },
    },
    {
      type: "namespace",
      name: "multi_agent_v1",
      description: "Agents that work beside you.",
      tools: [
        {
          type: "function",
          name: "spawn_agent",
          description: "Begins an agent.",
          strict: false,
          parameters: { type: "object", properties: { prompt: { type: "string" } } },
        },
        {
          type: "function",
          name: "close_agent",
          description: "Ends an agent.",
          strict: false,
          parameters: { type: "object", properties: {} },
        },
      ],
    },
    { type: "web_search", external_web_access: true },
    { type: "local_shell" },
    { type: "image_generation", output_format: "png" },
  ],
} as const;
