import type { Json } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import { fileSchema } from './file-schema.ts';
import type { ConfigFile } from './file-schema.ts';
import { describeKind, formatPath } from './problem.ts';
import type { ConfigProblem } from './problem.ts';
import { resolveReferences } from './references.ts';
import type { Environment } from './references.ts';

const sectionsRead = ['client', 'providers', 'plugins'] as const;

export type FileResult = { readonly file: ConfigFile } | { readonly problems: readonly ConfigProblem[] };

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
      return expectation(`one of ${(issue.values ?? []).map((value) => JSON.stringify(value)).join(', ')}`);
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

/** References of the sections that are read are resolved; the other sections stay as they are. */
function resolveSections(root: Json, environment: Environment, problems: ConfigProblem[]): Json {
  if (!isJsonObject(root)) return root;
  const resolved: Record<string, Json | undefined> = { ...root };
  for (const section of sectionsRead) {
    const value = root[section];
    if (value === undefined) continue;
    const result = resolveReferences(value, [section], environment);
    resolved[section] = result.value;
    problems.push(...result.problems);
  }
  return resolved;
}

/** Resolves references and checks every key and type; all problems are reported at once. */
export function validateFile(root: Json, environment: Environment): FileResult {
  const problems: ConfigProblem[] = [];
  const resolved = resolveSections(root, environment, problems);
  const result = fileSchema.safeParse(resolved);
  if (result.success && problems.length === 0) return { file: result.data as ConfigFile };
  const paths = new Set(problems.map(({ path }) => path));
  for (const issue of (result.error?.issues ?? []) as unknown as readonly Issue[]) {
    const problem = describeIssue(issue, resolved);
    if (!paths.has(problem.path)) problems.push(problem);
  }
  return { problems };
}
