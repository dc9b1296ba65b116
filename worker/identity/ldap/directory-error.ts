/** A directory that does not do its part. The message is for the operator: no DN, no password, nothing it said. */
export class DirectoryError extends Error {
  override readonly name = "DirectoryError";
}
