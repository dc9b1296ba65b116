/** What is used of Node's crypto, which workerd has and the Workers types do not name. */
declare module "node:crypto" {
  interface ScryptCost {
    readonly N: number;
    readonly r: number;
    readonly p: number;
    /** Bytes. */
    readonly maxmem: number;
  }
  export function scrypt(
    password: string,
    salt: Uint8Array,
    bytes: number,
    cost: ScryptCost,
    done: (error: Error | null, key: Uint8Array) => void,
  ): void;
  export function timingSafeEqual(a: Uint8Array, b: Uint8Array): boolean;
}
