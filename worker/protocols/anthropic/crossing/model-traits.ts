/**
 * What Claude models take and refuse, by their names (platform.claude.com/docs, migration guides up to Claude 5.5).
 * A newer model is taken for the like of the newest known one; what is no Claude, for the like of an old one. Pure.
 */
export interface ModelTraits {
  /** The longest answer, in tokens, thinking included; null: not known. */
  readonly outputTokensMax: number | null;
  /** Thinking with a budget that the request names, or as much as the model sees fit. */
  readonly thinking: "none" | "budget" | "adaptive";
  /** How it is kept from thinking: `unset` where it only thinks if asked, `never` where it always does. */
  readonly thinkingOff: "unset" | "disabled" | "between_tools" | "never";
  /** Whether thinking may be shown or hidden; before that it is always shown. */
  readonly hasDisplay: boolean;
  readonly efforts: readonly string[];
  /** `temperature`, `top_p` and `top_k` are accepted. */
  readonly hasSampling: boolean;
  /** A tool call can be demanded. */
  readonly hasForcedTools: boolean;
  /** `output_config.format` is accepted. */
  readonly hasSchema: boolean;
}

const OLD: ModelTraits = {
  outputTokensMax: null,
  thinking: "budget",
  thinkingOff: "unset",
  hasDisplay: false,
  efforts: [],
  hasSampling: true,
  hasForcedTools: true,
  hasSchema: false,
};

/** Claude 4.7: thinking is the model's own affair, and so is sampling. */
const ADAPTIVE: ModelTraits = {
  outputTokensMax: 128_000,
  thinking: "adaptive",
  thinkingOff: "unset",
  hasDisplay: true,
  efforts: ["low", "medium", "high", "xhigh", "max"],
  hasSampling: false,
  hasForcedTools: true,
  hasSchema: true,
};

const ALWAYS_THINKING: ModelTraits = { ...ADAPTIVE, thinkingOff: "never", hasForcedTools: false };

/** `claude-opus-4-5-20251101`, `claude-sonnet-5.5`: a date is no minor version. */
const NAME = /claude-(opus|sonnet|haiku|fable|mythos)-(\d+)(?:[-.](\d{1,2}))?(?!\d)/;
/** `claude-3-5-sonnet-20241022`, `claude-3-opus-20240229`. */
const OLD_NAME = /claude-3(?:[-.](\d))?-(?:opus|sonnet|haiku)/;

export function traitsOf(model: string): ModelTraits {
  const old = OLD_NAME.exec(model);
  if (old !== null) return claude3(Number(old[1] ?? 0));
  const [, family = "", major = "0", minor = "0"] = NAME.exec(model) ?? [];
  if (family === "fable" || family === "mythos" || model.includes("claude-mythos")) return ALWAYS_THINKING;
  if (family === "") return OLD;
  const version = Number(major) * 100 + Number(minor);
  return version < 500 ? claude4(family, version) : claude5(family, version);
}

function claude3(minor: number): ModelTraits {
  if (minor < 5) return { ...OLD, thinking: "none", outputTokensMax: 4096 };
  if (minor < 7) return { ...OLD, thinking: "none", outputTokensMax: 8192 };
  return { ...OLD, outputTokensMax: 64_000 };
}

function claude4(family: string, version: number): ModelTraits {
  if (version >= 407) return ADAPTIVE;
  if (version === 406) {
    const outputTokensMax = family === "opus" ? 128_000 : 64_000;
    const efforts = ["low", "medium", "high", "max"];
    return { ...ADAPTIVE, outputTokensMax, efforts, hasDisplay: false, hasSampling: true };
  }
  const isOldOpus = family === "opus" && version < 405;
  return {
    ...OLD,
    outputTokensMax: isOldOpus ? 32_000 : 64_000,
    hasSchema: version === 405 || (isOldOpus && version === 401),
  };
}

function claude5(family: string, version: number): ModelTraits {
  if (family === "haiku" || (family === "opus" && version < 505) || (family === "sonnet" && version < 505)) {
    return { ...ADAPTIVE, thinkingOff: "disabled" };
  }
  if (family === "sonnet") return { ...ALWAYS_THINKING, thinkingOff: "between_tools" };
  return ALWAYS_THINKING;
}

const DEFAULT_OUTPUT_TOKENS = 32_000;

/**
 * Anthropic wants a limit in each request and refuses one that the model cannot reach, where others take it for
 * what it is: an upper limit.
 */
export function outputTokensOf({ outputTokensMax }: ModelTraits, wanted: number | null): number {
  return Math.min(wanted ?? DEFAULT_OUTPUT_TOKENS, outputTokensMax ?? Infinity);
}
