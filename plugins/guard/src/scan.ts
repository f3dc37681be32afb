/** Finds hits in a text and replaces them. */
import type { ActiveDetector, GuardAction } from './guard-config.ts';

/** Where a detector found something. `end` is behind the last character. */
export interface Hit {
  readonly detector: string;
  readonly action: GuardAction;
  readonly start: number;
  readonly end: number;
  /** Of a private key: it ends with its armour, and goes to the end of the text where that is not there yet. */
  readonly isArmour: boolean;
}

export interface ScanOptions {
  /**
   * More text follows: a hit that touches the end may grow, and is left for later unless it begins before this index, from which
   * on the text stays with the guard.
   */
  readonly keptFrom?: number;
}

/** The line that ends the armour of a private key (RFC 7468). */
export const armourEnd = /-----END [A-Z ]{0,20}PRIVATE KEY-----/;

function endOfHit(detector: ActiveDetector, text: string, match: RegExpExecArray): number {
  const end = match.index + match[0].length;
  if (detector.isArmour !== true) return end;
  const armour = armourEnd.exec(text.slice(end));
  return armour === null ? text.length : end + armour.index + armour[0].length;
}

function hitsOf(detector: ActiveDetector, text: string, keptFrom: number | undefined): readonly Hit[] {
  const hits: Hit[] = [];
  for (let match = detector.pattern.exec(text); match !== null; match = detector.pattern.exec(text)) {
    const start = match.index;
    const end = endOfHit(detector, text, match);
    if (end === start) {
      detector.pattern.lastIndex += 1;
      continue;
    }
    const mayGrow = keptFrom !== undefined && end === text.length && start >= keptFrom;
    if (!mayGrow && detector.isHit?.(match[0]) !== false) {
      const isArmour = detector.isArmour === true;
      hits.push({ detector: detector.name, action: detector.action, start, end, isArmour });
      detector.pattern.lastIndex = end;
    }
  }
  return hits;
}

/** All hits in `text`, in order, where they overlap the longer one. */
export function scan(text: string, detectors: readonly ActiveDetector[], options: ScanOptions = {}): readonly Hit[] {
  const all = detectors.flatMap((detector) => hitsOf(detector, text, options.keptFrom));
  const sorted = all.toSorted((a, b) => a.start - b.start || b.end - a.end);
  const kept: Hit[] = [];
  for (const hit of sorted) {
    const last = kept.at(-1);
    if (last === undefined || hit.start >= last.end) kept.push(hit);
    else if (hit.end > last.end) kept[kept.length - 1] = { ...last, end: hit.end };
  }
  return kept;
}

/** `text` with the hits replaced; `{name}` in `replacement` is the detector's name. */
export function redact(text: string, hits: readonly Hit[], replacement: string): string {
  let redacted = '';
  let from = 0;
  for (const { detector, start, end } of hits) {
    redacted += text.slice(from, start) + replacement.replaceAll('{name}', () => detector);
    from = end;
  }
  return redacted + text.slice(from);
}
