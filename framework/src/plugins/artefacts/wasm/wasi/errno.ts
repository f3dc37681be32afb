/** Error numbers of WASI preview 1 (wasi_snapshot_preview1.witx). */
export const errno = {
  success: 0,
  acces: 2,
  badf: 8,
  exist: 20,
  inval: 28,
  io: 29,
  isdir: 31,
  loop: 32,
  noent: 44,
  nosys: 52,
  notdir: 54,
  notempty: 55,
  notsup: 58,
  perm: 63,
  spipe: 70,
  notcapable: 76,
} as const;

const ofNode: Readonly<Record<string, number>> = {
  EACCES: errno.acces,
  EEXIST: errno.exist,
  EINVAL: errno.inval,
  EISDIR: errno.isdir,
  ELOOP: errno.loop,
  ENOENT: errno.noent,
  ENOTDIR: errno.notdir,
  ENOTEMPTY: errno.notempty,
  EPERM: errno.perm,
  /** Node's own permission model refused. */
  ERR_ACCESS_DENIED: errno.notcapable,
};

/** The number for an error of `node:fs`. */
export function errnoOf(thrown: unknown): number {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  return ofNode[code] ?? errno.io;
}
