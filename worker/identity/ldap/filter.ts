/** Search filters with what somebody typed in them. Pure. */

/** RFC 4515, section 3. Other bytes, NUL apart, stand for themselves. */
const SPECIAL = /[\\*()\0]/g;

export const escapeFilterValue = (text: string): string =>
  text.replace(SPECIAL, (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, "0")}`);

/** @param placeholder each of its places gets the value, which cannot end or widen the filter */
export const fillIn = (template: string, placeholder: string, value: string): string =>
  template.replaceAll(placeholder, () => escapeFilterValue(value));
