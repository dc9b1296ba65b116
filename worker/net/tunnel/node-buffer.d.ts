/** Of Node's Buffer, which workerd has too, as much as the parser of HTTP answers needs. */
declare module "node:buffer" {
  export const Buffer: { from(bytes: ArrayBufferLike, offset: number, length: number): Uint8Array };
}
