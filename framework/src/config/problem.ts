import { ConfigError } from '@bifrost/sdk';

/** One thing that is wrong with the configuration. Never carries a value that may be a secret. */
export interface ConfigProblem {
  /** JSON path such as `providers.openai.keys[0].weight`; empty for the file as a whole. */
  readonly path: string;
  /** What was expected, what was given, how to fix it. */
  readonly message: string;
}

/** A step of a JSON path: a member name or an array index. */
export type PathStep = string | number;

/** `['keys', 0, 'my name']` -> `keys[0]["my name"]`. */
export function formatPath(steps: readonly PropertyKey[]): string {
  let text = '';
  for (const step of steps) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[\w$-]+$/.test(String(step))) text += text === '' ? String(step) : `.${String(step)}`;
    else text += `[${JSON.stringify(String(step))}]`;
  }
  return text;
}

/** The kind of a JSON value in words, without the value: `a string`, `an empty string`, `null`, `an array`. */
export function describeKind(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'string') return value === '' ? 'an empty string' : 'a string';
  if (typeof value === 'number' || typeof value === 'boolean') return `the ${typeof value} ${value}`;
  return `a ${typeof value}`;
}

/** Every problem of one configuration in one message: one line each, in the order of the file. */
export class ConfigProblemsError extends ConfigError {
  readonly source: string;
  readonly problems: readonly ConfigProblem[];

  constructor(source: string, problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`;
    const lines = problems.map(({ path, message }) => (path === '' ? `  ${message}` : `  ${path}: ${message}`));
    super(source, `${count} in the configuration\n${lines.join('\n')}`);
    this.source = source;
    this.problems = problems;
  }
}
