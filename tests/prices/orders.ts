/** How one list of prices is answered. */
export interface ListOrder {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly text?: string;
  readonly delayMs?: number;
  /** Bytes of white space before the text. */
  readonly padding?: number;
}
