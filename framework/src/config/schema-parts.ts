import { z } from 'zod';
import { parseGoDuration } from './duration.ts';
import { describeKind } from './problem.ts';
import { didYouMean } from './suggestion.ts';

/** Up to so many keys are listed where none is near. */
const maxListed = 8;

/** An object whose unknown keys are problems with a suggestion. */
export function knownObject<Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return undefined;
      const hints = issue.keys.map((key) => didYouMean(key, known));
      const list = hints.includes('') && known.length <= maxListed ? `; known are ${known.join(', ')}` : '';
      return issue.keys.map((key, at) => `unknown key ${JSON.stringify(key)}${hints[at]}`).join('; ') + list;
    },
  });
}

/** An object that is accepted as it is and not used yet. */
export const unusedObject: z.ZodType<Record<string, unknown>> = z.record(z.string(), z.unknown());

export const stringMap: z.ZodType<Record<string, string>> = z.record(z.string(), z.string());
export const stringList: z.ZodType<string[]> = z.array(z.string());

/** An http(s) URL without credentials, query or fragment. */
export const serverUrl: z.ZodType<string> = z.string().refine(isServerUrl, {
  error: 'expected an absolute http:// or https:// URL without user, query and fragment',
});

function isServerUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const url = new URL(text);
  return /^https?:$/.test(url.protocol) && url.username === '' && url.search === '' && url.hash === '';
}

/** A whole number between two bounds. */
export function wholeNumber(minimum: number, maximum: number): z.ZodType<number> {
  return z
    .number({
      error: (issue) => `expected a whole number from ${minimum} to ${maximum}, got ${describeKind(issue.input)}`,
    })
    .refine((value) => Number.isInteger(value) && value >= minimum && value <= maximum, {
      error: (issue) => `expected a whole number from ${minimum} to ${maximum}, got ${String(issue.input)}`,
    });
}

/** Milliseconds as a number, or a Go duration string; the result is milliseconds. */
export function durationMs(minimumMs: number): z.ZodType<number, number | string> {
  const expected = `expected milliseconds as a number or a duration such as "500ms" or "2s", at least ${minimumMs} ms`;
  return z
    .union([z.number(), z.string()], { error: (issue) => `${expected}, got ${describeKind(issue.input)}` })
    .transform((value, context) => {
      const milliseconds = typeof value === 'number' ? value : parseGoDuration(value);
      if (milliseconds !== undefined && milliseconds >= minimumMs) return milliseconds;
      context.addIssue({ code: 'custom', message: `${expected}, got ${describeKind(value)}` });
      return z.NEVER;
    });
}
