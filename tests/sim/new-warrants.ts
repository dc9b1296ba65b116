/** The warrants of an object that has just woken: under terms that nothing before it used. */
import { Warrants } from "../../durable-objects/warrants.ts";

let terms = 0;

export const newWarrants = (): Warrants => new Warrants(() => `term ${String(terms++)}`);
