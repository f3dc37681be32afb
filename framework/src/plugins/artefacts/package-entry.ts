/** The file that a package's `package.json` names as its entry, as Node resolves `import` of it. */
import { isJsonObject } from '@bifrost/sdk';
import type { Json, JsonObject } from '@bifrost/sdk';

/** Conditions of `exports` that hold for an import by the gateway. */
const conditions = ['node', 'import', 'module-sync', 'default'];

function target(value: Json | undefined, star: string): string | undefined {
  if (typeof value === 'string') return value.startsWith('./') ? value.replaceAll('*', star) : undefined;
  if (Array.isArray(value)) {
    return (value as readonly Json[]).map((each) => target(each, star)).find((each) => each !== undefined);
  }
  if (!isJsonObject(value)) return undefined;
  for (const [condition, child] of Object.entries(value)) {
    if (!conditions.includes(condition)) continue;
    const found = target(child, star);
    // null shuts the door on purpose.
    if (found !== undefined || child === null) return found;
  }
  return undefined;
}

/** `./lib/*` for `./lib/a`: the longest pattern that fits, with what its star stands for. */
function patternFor(exports: JsonObject, subpath: string): readonly [pattern: string, star: string] | undefined {
  const fitting = Object.keys(exports).flatMap((pattern): (readonly [string, string])[] => {
    const [before, after] = pattern.split('*');
    if (before === undefined || after === undefined) return [];
    const isFitting =
      subpath.length >= before.length + after.length && subpath.startsWith(before) && subpath.endsWith(after);
    return isFitting ? [[pattern, subpath.slice(before.length, subpath.length - after.length)]] : [];
  });
  return fitting.toSorted(([a], [b]) => b.indexOf('*') - a.indexOf('*') || b.length - a.length)[0];
}

/** The entry that package.json states for `subpath` (`.` or `./name`), relative to the package; undefined where it states none. */
export function packageEntry(manifest: JsonObject, subpath: string): string | undefined {
  const { exports, main } = manifest;
  if (exports === undefined || exports === null) {
    if (subpath !== '.') return subpath;
    return typeof main === 'string' ? main : undefined;
  }
  const hasPaths = isJsonObject(exports) && Object.keys(exports).some((key) => key.startsWith('.'));
  if (!hasPaths) return subpath === '.' ? target(exports, '') : undefined;
  if (exports[subpath] !== undefined && !subpath.includes('*')) return target(exports[subpath], '');
  const match = patternFor(exports, subpath);
  return match === undefined ? undefined : target(exports[match[0]], match[1]);
}
