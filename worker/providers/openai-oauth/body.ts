/** The body of a call as the ChatGPT backend takes it: changed only where it would refuse it otherwise. Pure. */
import { ABSENT, withFields } from "../../protocols/json-rewrite.ts";

/** Answered with 400 "Unsupported parameter", although the public API knows them. */
const UNSUPPORTED = {
  max_output_tokens: ABSENT,
  prompt_cache_retention: ABSENT,
  safety_identifier: ABSENT,
  temperature: ABSENT,
  text_formatting: ABSENT,
  top_p: ABSENT,
  truncation: ABSENT,
  user: ABSENT,
} as const;

/** It keeps no conversation and answers in streams only, and insists on being asked so; not for a compaction. */
export const acceptableBody = (path: string, body: Uint8Array): Uint8Array =>
  withFields(
    body,
    path.endsWith("/compact")
      ? { ...UNSUPPORTED, store: ABSENT }
      : { ...UNSUPPORTED, store: false, stream: true },
  );
