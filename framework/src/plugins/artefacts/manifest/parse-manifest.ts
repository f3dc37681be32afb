/** From a manifest's JSON to a checked manifest: every problem at once, each with its JSON path. */
import { isJsonObject, PluginError } from '@bifrost/sdk';
import type { Json, PluginManifest } from '@bifrost/sdk';
import { describeIssues } from '../../../config/describe-issues.ts';
import { parseJsonText } from '../../../config/json-text.ts';
import { describeKind } from '../../../config/problem.ts';
import type { ConfigProblem } from '../../../config/problem.ts';
import { checkJsonSchema } from './json-schema/check-json-schema.ts';
import { manifestSchema } from './manifest-schema.ts';

export type ManifestResult = { readonly manifest: PluginManifest } | { readonly problems: readonly ConfigProblem[] };

/** Checks a manifest's JSON. */
export function checkManifest(value: Json): ManifestResult {
  if (!isJsonObject(value))
    return { problems: [{ path: '', message: `expected an object, got ${describeKind(value)}` }] };
  const result = manifestSchema.safeParse(value);
  const problems = [...describeIssues(result.error, value)];
  if (isJsonObject(value['configSchema'])) problems.push(...checkJsonSchema(value['configSchema'], 'configSchema'));
  if (problems.length > 0) return { problems };
  // The schema has checked every member.
  return { manifest: value as unknown as PluginManifest };
}

/** Path and message of each, as one sentence. */
export function joinProblems(problems: readonly ConfigProblem[]): string {
  return problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ');
}

/** Reads the JSON text of `file`. Throws PluginError that names the line, or every problem. */
export function parseManifest(plugin: string, file: string, text: string): PluginManifest {
  const refuse = (message: string): never => {
    throw new PluginError(plugin, message, { code: 'BF_PLUGIN_MANIFEST_INVALID' });
  };
  const parsed = parseJsonText(text);
  if ('error' in parsed) {
    const { line, column } = parsed.position;
    return refuse(`${file}:${line}:${column} is not JSON: ${parsed.error}`);
  }
  return acceptManifest(plugin, file, parsed.value);
}

/** Checks what was read from `file`. Throws PluginError with every problem. */
export function acceptManifest(plugin: string, file: string, value: Json): PluginManifest {
  const result = checkManifest(value);
  if ('manifest' in result) return result.manifest;
  throw new PluginError(plugin, `the manifest ${file} is wrong: ${joinProblems(result.problems)}`, {
    code: 'BF_PLUGIN_MANIFEST_INVALID',
  });
}
