/** What the Node side of the integration tests hands to the tests inside workerd, by type. */
declare module "vitest" {
  export interface ProvidedContext {
    /** Base URL of the fake upstream, without a trailing slash. */
    upstreamUrl: string;
    /** Where proxies are started and stopped. */
    proxyLabUrl: string;
    /** Where notifications are received. */
    receiversUrl: string;
    /** Where people sign in: a directory and an OpenID provider. */
    identityLabUrl: string;
    /** `true` where this machine has a directory to start. */
    hasDirectory: string;
    /** Where lists of prices are, as tests order them. */
    pricesUrl: string;
  }
}

export {};
