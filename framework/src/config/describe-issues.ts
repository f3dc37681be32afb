import type { Json } from '@bifrost/sdk';
import { describeKind, formatPath } from './problem.ts';
import type { ConfigProblem } from './problem.ts';
import { didYouMean } from './suggestion.ts';

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[step];
  }
  return value;
}

const expectedKinds: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'an object',
  record: 'an object',
  array: 'an array',
};

interface Issue {
  readonly code: string;
  readonly message: string;
  readonly path: readonly PropertyKey[];
  readonly expected?: string;
  readonly values?: readonly unknown[];
  readonly minimum?: number | bigint;
  readonly errors?: readonly (readonly Issue[])[];
}

/** A union of a scalar and an object fails in one of the object's members: that member is the place to name. */
function deepestIssue(issue: Issue): Issue {
  if (issue.code !== 'invalid_union') return issue;
  const nested = (issue.errors ?? [])
    .flat()
    .filter(({ path, code }) => path.length > 0 || code === 'unrecognized_keys');
  const first = nested[0];
  return first === undefined ? issue : deepestIssue({ ...first, path: [...issue.path, ...first.path] });
}

/** The word that a misspelt one was meant to be; the given one is not repeated, as it may be a secret at the wrong place. */
function suggest(problem: ConfigProblem, given: unknown, values: readonly unknown[]): ConfigProblem {
  if (typeof given !== 'string') return problem;
  const words = values.filter((value) => typeof value === 'string');
  return { ...problem, message: problem.message + didYouMean(given, words) };
}

function describeIssue(outer: Issue, root: Json): ConfigProblem {
  const issue = deepestIssue(outer);
  const given = valueAt(root, issue.path);
  const path = formatPath(issue.path);
  const expectation = (expected: string): ConfigProblem => ({
    path,
    message:
      given === undefined ? `is missing; expected ${expected}` : `expected ${expected}, got ${describeKind(given)}`,
  });
  switch (issue.code) {
    case 'invalid_type':
      return issue.message.startsWith('expected') && given !== undefined
        ? { path, message: issue.message }
        : expectation(expectedKinds[issue.expected ?? ''] ?? issue.expected ?? 'another type');
    case 'invalid_value':
      return suggest(
        expectation(`one of ${(issue.values ?? []).map((value) => JSON.stringify(value)).join(', ')}`),
        given,
        issue.values ?? [],
      );
    case 'too_small':
      return expectation(typeof given === 'string' ? 'a string that is not empty' : `at least ${issue.minimum}`);
    case 'invalid_union':
      return issue.message.startsWith('expected')
        ? { path, message: issue.message }
        : expectation(
            (issue.errors ?? [])
              .flat()
              .map(({ expected }) => expectedKinds[expected ?? ''] ?? expected)
              .join(' or '),
          );
    default:
      return { path, message: issue.message };
  }
}

/** What a schema of zod found wrong in `root`, in the words of the configuration's messages. */
export function describeIssues(
  error: { readonly issues: readonly unknown[] } | undefined,
  root: Json,
): readonly ConfigProblem[] {
  // zod's issues: their members are read with care, as each code has others.
  return ((error?.issues ?? []) as readonly Issue[]).map((issue) => describeIssue(issue, root));
}
