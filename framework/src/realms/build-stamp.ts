/** What a build writes into the program. From source there is none. */
export interface BuildStamp {
  /** As given by `VERSION=`; undefined where the package's version holds. */
  readonly version?: string;
  /** Commit of the sources, shortened; absent outside a repository. */
  readonly commit?: string;
  /** ISO 8601, UTC: when the commit was made, so that the same sources give the same bytes. */
  readonly buildTime?: string;
  /**
   * `portable`: carries its own loader and C library, so no other native code can be loaded; `dynamic`: linked to the system's
   * C library; `bundle`: JavaScript files for an installed Node.
   */
  readonly kind: 'portable' | 'dynamic' | 'bundle';
  /** The C library inside a portable executable, e.g. `glibc 2.36`. */
  readonly carriedLibc?: string;
}

/** The name is replaced by the bundler. */
declare const bifrostBuildStamp: BuildStamp | undefined;

/** The stamp of this build; undefined when it runs from source. */
export function readBuildStamp(): BuildStamp | undefined {
  return typeof bifrostBuildStamp === 'undefined' ? undefined : bifrostBuildStamp;
}

/**
 * True where native plugins (`.so`, `.dylib`, `.dll`, `.node`) can be loaded: everywhere but in the portable executable, whose C
 * library is its own. `make build DYNAMIC=1` makes an executable that can.
 */
export function isNativeCodeAllowed(stamp: BuildStamp | undefined = readBuildStamp()): boolean {
  return stamp?.kind !== 'portable';
}
