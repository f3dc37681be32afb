/**
 * What the guard knows to look for. Each detector is a pattern that one pass finds candidates with and, where a pattern alone
 * would cry wolf, a check of the candidate. Prefixes of keys are those that their issuers publish for secret scanners.
 */

/** One thing to look for. */
export interface Detector {
  readonly name: string;
  readonly group: 'secrets' | 'pii' | 'rules';
  /** With the flag `g`. */
  readonly pattern: RegExp;
  /** Whether a candidate is one. */
  readonly isHit?: (text: string) => boolean;
  /** The pattern is the first line of an armoured key: the hit goes on to the armour's last line. */
  readonly isArmour?: boolean;
}

/** Luhn's check (ISO/IEC 7812-1), which card numbers pass. */
export function passesLuhn(text: string): boolean {
  const digits = text.replaceAll(/\D/g, '');
  let sum = 0;
  for (let index = 0; index < digits.length; index += 1) {
    const digit = Number(digits[digits.length - 1 - index]);
    const doubled = index % 2 === 1 ? digit * 2 : digit;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  // All the same digit is what a form is filled with.
  return sum % 10 === 0 && !/^(\d)\1+$/.test(digits);
}

/** The check digits of an IBAN (ISO 13616, ISO 7064 MOD 97-10). */
export function passesIban(text: string): boolean {
  const compact = text.replaceAll(' ', '').toUpperCase();
  const moved = compact.slice(4) + compact.slice(0, 4);
  let remainder = 0;
  for (const character of moved) {
    for (const digit of String(Number.parseInt(character, 36))) remainder = (remainder * 10 + Number(digit)) % 97;
  }
  return compact.length >= 15 && remainder === 1;
}

const passesIpv4 = (text: string): boolean => text.split('.').every((part) => Number(part) <= 255);

/** Not part of a longer word or token, in front. The end is open: what is longer is still a key. */
const alone = String.raw`(?<![A-Za-z0-9_])`;

const secrets: readonly (readonly [name: string, pattern: string])[] = [
  ['openai-key', 'sk-(?:proj-|svcacct-|admin-)?[A-Za-z0-9_-]{20,}'],
  ['anthropic-key', 'sk-ant-[A-Za-z0-9_-]{20,}'],
  ['google-key', 'AIza[A-Za-z0-9_-]{35}'],
  ['aws-access-key', '(?:AKIA|ASIA)[A-Z0-9]{16}'],
  ['github-token', '(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,})'],
  ['gitlab-token', 'glpat-[A-Za-z0-9_-]{20,}'],
  ['slack-token', 'xox[abposr]-[A-Za-z0-9-]{10,}'],
  ['stripe-key', '(?:sk|rk)_(?:live|test)_[A-Za-z0-9]{16,}'],
  ['huggingface-token', 'hf_[A-Za-z0-9]{30,}'],
  ['groq-key', 'gsk_[A-Za-z0-9]{40,}'],
  ['npm-token', 'npm_[A-Za-z0-9]{36}'],
  // Known by its second part's beginning: the rest of it may be longer than what a stream keeps back.
  ['jwt', 'eyJ[A-Za-z0-9_-]{8,}\\.eyJ[A-Za-z0-9_-]{8,}(?:\\.[A-Za-z0-9_-]*)?'],
  ['private-key', '-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----'],
];

const pii: readonly Detector[] = [
  {
    name: 'email',
    group: 'pii',
    pattern: /(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}/g,
  },
  { name: 'credit-card', group: 'pii', pattern: /(?<!\d)\d(?:[ -]?\d){12,18}(?!\d)/g, isHit: passesLuhn },
  {
    name: 'iban',
    group: 'pii',
    pattern: /(?<![A-Za-z0-9])[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}(?![A-Za-z0-9])/g,
    isHit: passesIban,
  },
  {
    name: 'us-ssn',
    group: 'pii',
    // The ranges that the Social Security Administration never issues are left out.
    pattern: /(?<!\d)(?!000|666|9\d\d)\d{3}-(?!00)\d{2}-(?!0000)\d{4}(?!\d)/g,
  },
  {
    name: 'phone',
    group: 'pii',
    pattern: /(?<![\dA-Za-z])\+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,5}(?!\d)/g,
    isHit: isPhone,
  },
  { name: 'ipv4', group: 'pii', pattern: /(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\d|\.\d)/g, isHit: passesIpv4 },
];

/** E.164: at most 15 digits; fewer than 8 are rarely a number in full. */
function isPhone(text: string): boolean {
  const count = text.replaceAll(/\D/g, '').length;
  return count >= 8 && count <= 15;
}

/** The guard's own detectors by group. */
export const builtinDetectors: Readonly<Record<'secrets' | 'pii', readonly Detector[]>> = {
  secrets: secrets.map(([name, source]) => ({
    name,
    group: 'secrets',
    pattern: new RegExp(alone + source, 'g'),
    isArmour: name === 'private-key',
  })),
  pii,
};
