/** Many rows for one statement: D1 takes a hundred parameters, but any number of rows in one JSON text. Pure. */

/** Half of what D1 takes for a value, in characters: one may be several bytes. */
const CHARACTERS_MAX = 500_000;

/** JSON arrays of the rows in their order, for `FROM json_each(?)`. */
export function jsonRows(rows: readonly object[]): string[] {
  const texts: string[] = [];
  let gathered: string[] = [];
  let length = 0;
  for (const row of rows.map((each) => JSON.stringify(each))) {
    if (gathered.length > 0 && length + row.length > CHARACTERS_MAX) {
      texts.push(`[${gathered.join()}]`);
      gathered = [];
      length = 0;
    }
    gathered.push(row);
    length += row.length;
  }
  return gathered.length === 0 ? texts : [...texts, `[${gathered.join()}]`];
}
