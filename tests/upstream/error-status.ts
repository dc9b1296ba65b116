/** The statuses of the errors that Anthropic and OpenAI give names to. Pure. */

const ERROR_STATUS: Readonly<Record<string, number>> = {
  overloaded_error: 529,
  rate_limit_error: 429,
  authentication_error: 401,
  permission_error: 403,
  not_found_error: 404,
  request_too_large: 413,
  usage_limit_reached: 429,
  rate_limit_exceeded: 429,
  insufficient_quota: 429,
  invalid_request_error: 400,
  timeout_error: 504,
};

export const errorStatusOf = (type: string): number => ERROR_STATUS[type] ?? 500;
