/** The entry's `config`; `bifrost-plugin.json` has the schema that checks it. */
import { builtinDetectors } from './detectors.ts';
import type { Detector } from './detectors.ts';

/**
 * - `block`: a request is refused, an answer replaced by an error, a stream ended with one;
 * - `redact`: what was found is replaced, the rest goes on;
 * - `monitor`: nothing is changed; the log and the trace say what was found.
 */
export type GuardAction = 'block' | 'redact' | 'monitor';

export interface GuardRule {
  readonly name: string;
  /** A regular expression in JavaScript's syntax; matches of at most `windowCharacters` are found in streams. */
  readonly pattern: string;
  /** `i`, `m`, `s`, `u`, `v`. @default '' */
  readonly flags?: string;
  /** @default the config's `action` */
  readonly action?: GuardAction;
}

export interface GuardConfig {
  /** @default 'redact' */
  readonly action?: GuardAction;
  /** Look for keys and tokens: true for all, or names of detectors. @default true */
  readonly secrets?: boolean | readonly string[];
  /** Look for personal data: true for all, or names of detectors. @default false */
  readonly pii?: boolean | readonly string[];
  readonly rules?: readonly GuardRule[];
  /** @default ['input', 'output'] */
  readonly on?: readonly ('input' | 'output')[];
  /** What is written in the place of a hit; `{name}` is the detector's name. @default '[REDACTED:{name}]' */
  readonly replacement?: string;
}

/** A detector with what is done about a hit. */
export interface ActiveDetector extends Detector {
  readonly action: GuardAction;
}

/** The newest text of a stream that is kept back: the longest hit that is seen whole before its first character leaves. */
export const windowCharacters = 512;

function chosen(
  group: 'secrets' | 'pii',
  choice: boolean | readonly string[],
  action: GuardAction,
): readonly ActiveDetector[] {
  const known = builtinDetectors[group];
  if (choice === false) return [];
  const names = choice === true ? known.map(({ name }) => name) : choice;
  return names.map((name) => {
    const detector = known.find((one) => one.name === name);
    if (detector === undefined)
      throw new TypeError(`${group}: there is no "${name}"; known are ${known.map((one) => one.name).join(', ')}`);
    return { ...detector, action };
  });
}

function compileRule(rule: GuardRule, action: GuardAction): ActiveDetector {
  try {
    const flags = new Set([...Array.from(rule.flags ?? ''), 'g']);
    const pattern = new RegExp(rule.pattern, [...flags].join(''));
    if (pattern.test('')) throw new TypeError('it matches nothing at all, and so everywhere');
    return { name: rule.name, group: 'rules', pattern, action: rule.action ?? action };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new TypeError(`rules "${rule.name}": ${why}`, { cause: error });
  }
}

/** The detectors that a configuration switches on. Throws TypeError for a name or pattern that cannot work. */
export function activeDetectors(config: GuardConfig): readonly ActiveDetector[] {
  const action = config.action ?? 'redact';
  return [
    ...chosen('secrets', config.secrets ?? true, action),
    ...chosen('pii', config.pii ?? false, action),
    ...(config.rules ?? []).map((rule) => compileRule(rule, action)),
  ];
}
