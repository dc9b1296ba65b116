/** Part of every transaction that changes what the directory snapshot is made of. */
export const NEXT_VERSION = "UPDATE directory_version SET version = version + 1 WHERE id = 1";
