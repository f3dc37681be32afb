/**
 * What is left of a hit that is longer than the text that the guard can see at once: its beginning was replaced already, the rest
 * is taken out as it comes, up to a character that no key has, or to the end of a private key's armour.
 */
import type { Json } from '@bifrost/sdk';
import { armourEnd } from './scan.ts';

/** Plain data: it lives in the plugin's state of the request. */
export interface Swallowing {
  readonly until: 'token-end' | 'armour-end';
  /** What the guard put in the place of the last delta: the kept text that the next one begins with is an end of it. */
  readonly shown: string;
  /** The end of what was taken out, in which the armour's end may have begun. */
  readonly taken: string;
}

const tokenEnd = /[\s"'`<>()[\]{},;\\]/;
/** Longer than any line that ends an armour. */
const armourLength = 64;

/** The swallowing that `state` holds under `key`. */
export function swallowingAt(state: ReadonlyMap<string, Json>, key: string): Swallowing | undefined {
  const value = state.get(key);
  // Only this plugin writes its state.
  return value === undefined ? undefined : (value as unknown as Swallowing);
}

/** How much of `text` is kept text that was shown before. */
function keptLength(text: string, shown: string): number {
  for (let length = Math.min(text.length, shown.length); length > 0; length -= 1) {
    if (text.startsWith(shown.slice(shown.length - length))) return length;
  }
  return 0;
}

/** Takes the rest of a hit out of `text`; `next` is there where the hit has still not ended. */
export function swallow(text: string, { until, shown, taken }: Swallowing): { text: string; next?: Swallowing } {
  const kept = keptLength(text, shown);
  const [before, fresh] = [text.slice(0, kept), text.slice(kept)];
  if (until === 'token-end') {
    const end = fresh.search(tokenEnd);
    if (end !== -1) return { text: before + fresh.slice(end) };
    return { text: before, next: { until, shown: before, taken: '' } };
  }
  const window = taken + fresh;
  const end = armourEnd.exec(window);
  if (end !== null) return { text: before + window.slice(end.index + end[0].length) };
  return { text: before, next: { until, shown: before, taken: window.slice(-armourLength) } };
}
