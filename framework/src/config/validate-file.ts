import type { Json } from '@bifrost/sdk';
import { isJsonObject } from '@bifrost/sdk';
import { fileSchema } from './file-schema.ts';
import type { ConfigFile } from './file-schema.ts';
import { describeIssues } from './describe-issues.ts';
import type { ConfigProblem } from './problem.ts';
import { resolveReferences } from './references.ts';
import type { Environment } from './references.ts';

const sectionsRead = ['client', 'providers', 'plugins', 'plugins_dir'] as const;

export type FileResult = { readonly file: ConfigFile } | { readonly problems: readonly ConfigProblem[] };

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
  for (const problem of describeIssues(result.error, resolved)) {
    if (!paths.has(problem.path)) problems.push(problem);
  }
  return { problems };
}
