/** Every scenario, in the order in which it runs. */
import type { Scenario } from "../bench.ts";
import { firstByte } from "./first-byte.ts";
import { largeBody } from "./large-body.ts";
import { live } from "./live.ts";
import { longStream } from "./long-stream.ts";
import { memory } from "./memory.ts";
import { throughput } from "./throughput.ts";
import { translation } from "./translation.ts";

export const SCENARIOS: readonly Scenario[] = [
  firstByte,
  throughput,
  largeBody,
  live,
  longStream,
  translation,
  memory,
];
