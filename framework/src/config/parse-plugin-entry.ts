import type { JsonObject } from '@bifrost/sdk';
import type { PluginEntry } from '../plugins/plugin-entry.ts';
import type { ConfigProblem } from './problem.ts';
import type { Environment } from './references.ts';
import { resolvePlugins } from './resolve-plugins.ts';
import { validateFile } from './validate-file.ts';

/** Paths are told from the entry on, as its writer sees it. */
function ofEntry({ path, message }: ConfigProblem): ConfigProblem {
  return { path: path.replace(/^plugins\[0\]\.?/, ''), message };
}

export type ParsedPluginEntry = { readonly entry: PluginEntry } | { readonly problems: readonly ConfigProblem[] };

/** One entry as `config.json` has it, by itself: keys and types checked, references resolved. */
export function parsePluginEntry(file: JsonObject, environment: Environment): ParsedPluginEntry {
  const result = validateFile({ plugins: [file] }, environment);
  if ('problems' in result) return { problems: result.problems.map(ofEntry) };
  const { entries, problems, unused } = resolvePlugins(result.file.plugins ?? []);
  const [entry] = entries;
  if (problems.length > 0) return { problems: problems.map(ofEntry) };
  if (entry !== undefined) return { entry };
  const message = `there is no built-in plugin "${unused[0] ?? ''}" in this version yet`;
  return { problems: [{ path: 'name', message }] };
}
