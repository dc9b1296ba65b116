import adapter from "@sveltejs/adapter-cloudflare";

/** @type {import("@sveltejs/kit").Config} */
export default {
  compilerOptions: { runes: true },
  kit: {
    adapter: adapter({
      config: "wrangler.toml",
      platformProxy: { configPath: "wrangler.toml", persist: { path: "../.wrangler/state/v3" } },
    }),
    csp: {
      // Kit adds a nonce for its own inline script; nothing else may run, load or frame the admin.
      mode: "nonce",
      directives: {
        "default-src": ["none"],
        "script-src": ["self"],
        "style-src": ["self"],
        // Kit's route announcer hides itself by a style attribute: this one and no other is allowed.
        "style-src-attr": ["unsafe-hashes", "sha256-S8qMpvofolR8Mpjy4kQvEm7m1q8clzU4dfDH0AmvZjo="],
        "img-src": ["self"],
        "connect-src": ["self"],
        "form-action": ["self"],
        "base-uri": ["none"],
        "frame-ancestors": ["none"],
      },
    },
  },
};
