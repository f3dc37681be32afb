/**
 * Makes the beginning of a JSON text into a whole one: open strings, arrays and objects are closed, what is cut off in the middle
 * of a name, a number or an escape is left out. One pass, no recursion.
 */

/** What may come next at the place where the scanner is. */
type Expectation = 'value' | 'first-value' | 'name' | 'first-name' | 'colon' | 'comma' | 'nothing';

const literals = ['true', 'false', 'null'];
const numberStart = /[-\d]/;
const wholeNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const partialNumber = /^-?(?:(?:0|[1-9]\d*)(?:\.\d*)?(?:[eE][+-]?\d*)?)?$/;
const numberTail = /(?:\.|[eE][+-]?)$/;

class Scanner {
  readonly #text: string;
  /** What closes the open objects and arrays, outermost first. */
  readonly #closers: ('}' | ']')[] = [];
  #expects: Expectation = 'value';
  #at = 0;
  /** The text is whole JSON up to here once the open levels are closed. */
  #sound = 0;
  /** Levels that were open at `#sound`. */
  #soundDepth = 0;
  /** Where a value that was cut off by the end of the text is still whole characters. */
  #cut = 0;
  /** What a cut-off value is replaced by, after `#sound`. */
  #tail = '';

  constructor(text: string) {
    this.#text = text;
  }

  /** The completed text; undefined when the text is no beginning of JSON; '' when nothing of a value has come yet. */
  complete(): string | undefined {
    while (this.#at < this.#text.length) {
      const character = this.#text[this.#at] ?? '';
      if (/[ \t\r\n]/.test(character)) {
        this.#at += 1;
        continue;
      }
      const isRight = this.#step(character);
      if (!isRight) return undefined;
    }
    const closers = this.#closers.slice(0, this.#soundDepth).toReversed().join('');
    return this.#text.slice(0, this.#sound) + this.#tail + closers;
  }

  #step(character: string): boolean {
    switch (this.#expects) {
      case 'value':
        return this.#value(character);
      case 'first-value':
        return character === ']' ? this.#closeLevel(character) : this.#value(character);
      case 'first-name':
        return character === '}' ? this.#closeLevel(character) : this.#name(character);
      case 'name':
        return this.#name(character);
      case 'colon':
        if (character !== ':') return false;
        this.#at += 1;
        this.#expects = 'value';
        return true;
      case 'comma':
        if (character !== ',') return this.#closeLevel(character);
        this.#at += 1;
        this.#expects = this.#closers.at(-1) === '}' ? 'name' : 'value';
        return true;
      case 'nothing':
        return false;
    }
  }

  #value(character: string): boolean {
    if (character === '{' || character === '[') {
      this.#closers.push(character === '{' ? '}' : ']');
      this.#at += 1;
      this.#expects = character === '{' ? 'first-name' : 'first-value';
      // Before the value stands what is not sound yet (`"name":` or a comma): the opened level makes it so.
      this.#markSound();
      return true;
    }
    if (character === '"') return this.#string((end, tail) => this.#endValue(end, tail));
    if (numberStart.test(character)) return this.#number();
    return this.#literal();
  }

  #name(character: string): boolean {
    if (character !== '"') return false;
    return this.#string((end, tail) => {
      this.#at = end;
      // A name without its value is left out, whole or not.
      if (tail === undefined) this.#expects = 'colon';
    });
  }

  /** Reads a string; `end` gets its end and, where it was cut off, what closes it. False for characters that no string has. */
  #string(end: (at: number, tail: string | undefined) => void): boolean {
    const text = this.#text;
    let at = this.#at + 1;
    let safe = at;
    while (at < text.length) {
      const character = text[at] ?? '';
      if (character === '"') {
        end(at + 1, undefined);
        return true;
      }
      if (character < ' ') return false;
      const length = character === '\\' ? escapeLength(text, at) : 1;
      if (length === undefined) return false;
      if (at + length > text.length) break;
      at += length;
      safe = at;
    }
    this.#cut = safe;
    end(text.length, '"');
    return true;
  }

  #number(): boolean {
    const match = /^[-+.\deE]+/.exec(this.#text.slice(this.#at));
    const digits = match?.[0] ?? '';
    const end = this.#at + digits.length;
    if (wholeNumber.test(digits)) {
      this.#endValue(end, undefined);
      return true;
    }
    if (end < this.#text.length || !partialNumber.test(digits)) return false;
    const whole = digits.replace(numberTail, '');
    this.#at = end;
    if (!wholeNumber.test(whole)) return true;
    this.#cut = end - (digits.length - whole.length);
    this.#endValue(end, '');
    return true;
  }

  #literal(): boolean {
    const rest = this.#text.slice(this.#at, this.#at + 5);
    const whole = literals.find((literal) => rest.startsWith(literal));
    if (whole !== undefined) {
      this.#endValue(this.#at + whole.length, undefined);
      return true;
    }
    const isCutOff =
      this.#at + rest.length === this.#text.length && literals.some((literal) => literal.startsWith(rest));
    if (!isCutOff) return false;
    this.#at = this.#text.length;
    return true;
  }

  #closeLevel(character: string): boolean {
    if (this.#closers.at(-1) !== character) return false;
    this.#closers.pop();
    this.#endValue(this.#at + 1, undefined);
    return true;
  }

  /** A value ended at `end`; with `tail` it was cut off at `#cut` and is closed by `tail`. */
  #endValue(end: number, tail: string | undefined): void {
    this.#at = end;
    this.#expects = this.#closers.length === 0 ? 'nothing' : 'comma';
    this.#sound = tail === undefined ? end : this.#cut;
    this.#soundDepth = this.#closers.length;
    this.#tail = tail ?? '';
  }

  #markSound(): void {
    this.#sound = this.#at;
    this.#soundDepth = this.#closers.length;
    this.#tail = '';
  }
}

/** How long the escape at `at` is; more than there is text where it is cut off; undefined for one that JSON does not have. */
function escapeLength(text: string, at: number): number | undefined {
  const kind = text[at + 1];
  if (kind === undefined) return 2;
  if (kind === 'u') {
    const digits = text.slice(at + 2, at + 6);
    if (!/^[\da-fA-F]*$/.test(digits)) return undefined;
    // Half of a pair of surrogates is no character: it waits for the other half.
    const isHighHalf = /^d[89ab]/i.test(digits) && digits.length === 4;
    return isHighHalf && text.length < at + 12 && '\\u'.startsWith(text.slice(at + 6, at + 8)) ? 12 : 6;
  }
  return '"\\/bfnrt'.includes(kind) ? 2 : undefined;
}

/**
 * Completes the beginning of a JSON text to a whole one. Undefined when `text` is no beginning of JSON; an empty string where
 * nothing of a value can be shown yet (white space, a `-`, half a literal).
 */
export function completeJson(text: string): string | undefined {
  return new Scanner(text).complete();
}
