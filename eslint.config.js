/** Lint rules: typed rules for the bugs that cost money, and the parts of the house style a machine can hold. */
import js from "@eslint/js";
import svelte from "eslint-plugin-svelte";
import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

/** Files whose results depend on their arguments only: time, ids, randomness and network are passed in. */
const PURE_FILES = [
  "worker/{domain,protocols,pricing}/**/*.ts",
  "durable-objects/{wait-queue,recent-ids,warrants}.ts",
  "durable-objects/*/{state,cooldowns,mask,admission,leases,limits,notices,permits,probes,rules,spending,user-turns,windows}.ts",
  "worker/relay/schedule.ts",
  "worker/status/prometheus.ts",
  "worker/public/views.ts",
  "worker/storage/json-rows.ts",
  "worker/net/smtp/{dialogue,replies}.ts",
  "worker/identity/{profile,oidc/claims}.ts",
  "worker/identity/ldap/{answers,ber,entry,filter}.ts",
  "worker/notify/{channel,hmac,index,mail-content,settings,text}.ts",
  "worker/notify/channels/*.ts",
];
const TEST_FILES = ["**/*.test.ts"];

/** Frameworks and tools that look for a default export in these files. */
const DEFAULT_EXPORT_FILES = [
  "worker/index.ts",
  "**/*.config.{js,ts}",
  "tests/integration/setup/global.ts",
  "admin/src/{hooks*,service-worker}.ts",
  "**/*.svelte",
];

const noDefaultExport = {
  selector: "ExportDefaultDeclaration, ExportSpecifier[exported.name='default']",
  message: "Export by name, so that a thing has one name everywhere.",
};

const clockMessage = "Pure file: take the time as an argument.";
const clockSyntax = [
  { selector: "NewExpression[callee.name='Date'][arguments.length=0]", message: clockMessage },
  { selector: "CallExpression[callee.name='Date']", message: clockMessage },
];
const clockAndRandomness = [
  ["Date", "now", clockMessage],
  ["performance", "now", clockMessage],
  ["Math", "random", "Pure file: take the randomness as an argument."],
  ["crypto", "randomUUID", "Pure file: take the id as an argument."],
  ["crypto", "getRandomValues", "Pure file: take the random bytes as an argument."],
].map(([object, property, message]) => ({ object, property, message }));
const outsideWorld = ["fetch", "setTimeout", "setInterval"].map((name) => ({
  name,
  message: "Pure file: decide here, act in the shell that calls you.",
}));

const unfinishedTests = ["describe", "it", "test", "suite"].flatMap((object) =>
  ["skip", "only", "todo"].map((property) => ({
    object,
    property,
    message: "Finish the test or delete it.",
  })),
);

/** Typed by its comments: the compiler knows every global better than a list of them. */
const CHECKED_SCRIPTS = ["egress/**/*.mjs"];

export default defineConfig(
  {
    ignores: ["**/node_modules/", "**/.svelte-kit/", "**/.wrangler/", "**/dist/", "coverage/", "**/*.d.ts"],
  },
  js.configs.recommended,
  {
    files: ["**/*.{js,mjs}"],
    languageOptions: { globals: { console: "readonly", process: "readonly", performance: "readonly" } },
  },
  {
    files: ["**/*.ts", "**/*.svelte"],
    extends: [tseslint.configs.recommendedTypeChecked, svelte.configs.recommended, svelte.configs.prettier],
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      // A `default:` would hide the case that a new member of the union needs.
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { allowDefaultCaseForExhaustiveSwitch: false, considerDefaultExhaustiveForUnions: false },
      ],
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/only-throw-error": "error",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/no-non-null-assertion": "error",
      // An implementation of an asynchronous interface is `async` even when it has nothing to wait for.
      "@typescript-eslint/require-await": "off",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "no-undef": "off",
      // The admin is always at the root of its domain, so a link is the path that the browser shows.
      "svelte/no-navigation-without-resolve": "off",
      eqeqeq: "error",
      "max-depth": ["error", 3],
      "max-params": ["error", 4],
      "no-restricted-syntax": ["error", noDefaultExport],
    },
  },
  {
    files: ["**/*.ts"],
    ignores: ["admin/**"],
    languageOptions: {
      parserOptions: {
        project: ["./tsconfig.json", "./tsconfig.node.json"],
        tsconfigRootDir: import.meta.dirname,
      },
    },
  },
  {
    files: ["admin/**/*.{ts,svelte}"],
    languageOptions: {
      parserOptions: {
        project: ["./admin/tsconfig.json"],
        tsconfigRootDir: import.meta.dirname,
        extraFileExtensions: [".svelte"],
        parser: tseslint.parser,
      },
    },
  },
  {
    // Here the parser cannot see the generated types of props and data and takes them for `any`; svelte-check can.
    files: ["**/*.svelte"],
    rules: Object.fromEntries(
      ["argument", "assignment", "call", "member-access", "return"].map((use) => [
        `@typescript-eslint/no-unsafe-${use}`,
        "off",
      ]),
    ),
  },
  { files: CHECKED_SCRIPTS, rules: { "no-undef": "off" } },
  { files: DEFAULT_EXPORT_FILES, rules: { "no-restricted-syntax": "off" } },
  {
    files: PURE_FILES,
    ignores: TEST_FILES,
    rules: {
      "no-restricted-syntax": ["error", noDefaultExport, ...clockSyntax],
      "no-restricted-properties": ["error", ...clockAndRandomness],
      "no-restricted-globals": ["error", ...outsideWorld],
    },
  },
  { files: TEST_FILES, rules: { "no-restricted-properties": ["error", ...unfinishedTests] } },
);
