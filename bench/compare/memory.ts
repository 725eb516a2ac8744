/**
 * The memory that each engine may use for the same purpose: `lmdb` has no such setting, it reads
 * from the page cache of the system, which is not limited here.
 */
const MIB = 1024 * 1024;

/** Of blocks or pages read. */
export const CACHE_BYTES: number = 32 * MIB;
/** Writes that may gather before they are put in order on disk. */
export const WRITE_BUFFER_BYTES: number = 16 * MIB;
