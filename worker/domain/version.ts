/** The relay's version; the same as in package.json, which tests/architecture holds it to. */
export const VERSION = "0.1.0";
