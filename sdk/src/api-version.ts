/** The plugin API's version, and whether a plugin's stated range contains it. */

/** The plugin API this package describes, as plugins state it in code. */
export const apiVersion = 'v1';

/** Major and minor of the plugin API: the minor rises with each addition that older hosts do not have. */
export const apiRelease = '1.1';

type Release = readonly [major: number, minor: number];

const comparator = /^(>=|>|<=|<|=|\^)?\s*v?(\d+)(?:\.(\d+|x|\*))?(?:\.(?:\d+|x|\*))?$/;

function parseRelease(text: string): Release {
  const [major = 0, minor = 0] = text.split('.').map(Number);
  return [major, minor];
}

function compare(a: Release, b: Release): number {
  return a[0] - b[0] || a[1] - b[1];
}

function satisfies(have: Release, term: string): boolean | undefined {
  const match = comparator.exec(term);
  if (match === null) return undefined;
  const [, operator = '', major = '', minor] = match;
  const hasMinor = minor !== undefined && /^\d+$/.test(minor);
  const wanted: Release = [Number(major), hasMinor ? Number(minor) : 0];
  const order = compare(have, wanted);
  switch (operator) {
    case '>=':
      return order >= 0;
    case '>':
      return hasMinor ? order > 0 : have[0] > wanted[0];
    case '<=':
      return hasMinor ? order <= 0 : have[0] <= wanted[0];
    case '<':
      return order < 0;
    case '=':
      return hasMinor ? order === 0 : have[0] === wanted[0];
    default:
      // `1.1` asks for what 1.1 has: a later minor has it too, another major does not.
      return have[0] === wanted[0] && order >= 0;
  }
}

/**
 * Whether the API `release` (default: this one) lies in `range`: comparators as in npm (`>=1.0 <2`, `^1.1`), parts of one
 * alternative apart by spaces, alternatives by `||`. A bare `1.1` means "1.1 or a later 1.x". Undefined when `range` cannot be read.
 */
export function isApiSupported(range: string, release: string = apiRelease): boolean | undefined {
  const have = parseRelease(release);
  let isAny = false;
  for (const alternative of range.split('||')) {
    // `>= 1.0` and `>=1.0` are the same.
    const terms = alternative
      .trim()
      .replaceAll(/([<>=^])\s+(?=[\dv])/g, '$1')
      .split(/\s+/)
      .filter((term) => term !== '');
    if (terms.length === 0) return undefined;
    const verdicts = terms.map((term) => (term === '*' ? true : satisfies(have, term)));
    if (verdicts.includes(undefined)) return undefined;
    isAny ||= verdicts.every((verdict) => verdict === true);
  }
  return isAny;
}
