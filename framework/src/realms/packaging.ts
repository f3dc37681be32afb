/**
 * How this program is packaged. Everything that depends on it asks here or in the other files of this folder:
 * - `source`: TypeScript files of the repository, as `make run` and the tests have them;
 * - `bundle`: JavaScript files of one folder, as the npm package and the cached start have them;
 * - `executable`: the same files inside one executable, loaded under the URL scheme `bifrost:`.
 */
export type Packaging = 'source' | 'bundle' | 'executable';

/** URL scheme of the program's own modules inside the executable. */
export const executableScheme = 'bifrost:';

/** The packaging of the module at `url`. */
export function packagingOf(url: string): Packaging {
  if (url.startsWith(executableScheme)) return 'executable';
  return url.endsWith('.ts') ? 'source' : 'bundle';
}

/** The packaging of the running program. */
export const packaging: Packaging = packagingOf(import.meta.url);
