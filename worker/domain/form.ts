/** What a form that is drawn from a schema must know besides: which fields are secrets. Pure. */

/** For `meta`: shown as dots, and never sent back (JSON Schema validation, section 9.4; OpenAPI's "password"). */
export const SECRET_FIELD = { format: "password", writeOnly: true } as const;
/** Of a list of secrets. */
export const SECRET_LIST = { writeOnly: true } as const;
