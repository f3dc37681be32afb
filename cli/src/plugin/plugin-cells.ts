/** The isolations that a plugin can be tested in on this machine, each with a way to load it. */
import type { PluginCell, PluginUnderTest } from '@bifrost/testkit/plugins';
import { loadPlugin } from '@bifrost/framework/workbench';
import type { CheckedArtefact, LoadedPlugin, PluginEntry } from '@bifrost/framework/workbench';
import { loadOptionsFor, nextLoad } from './check-plugin.ts';
import { LogLines } from './log-lines.ts';

/** What is loaded, and from where. */
export interface CellSource {
  readonly entry: PluginEntry;
  readonly artefact: CheckedArtefact;
  readonly directory: string;
}

function underTest(loaded: LoadedPlugin, escapes: readonly string[], lines: LogLines): PluginUnderTest {
  return {
    instance: loaded.instance,
    hooks: loaded.hooks,
    escapes: () => escapes,
    async close() {
      const before = lines.lines.length;
      await loaded.cleanup();
      // The host has one word for a cleanup that failed: a warning.
      const said = lines.lines
        .slice(before)
        .find(({ level, message }) => level === 'warn' && /: cleanup /.test(message));
      return said?.message;
    },
  };
}

function inlineCell({ entry, artefact, directory }: CellSource): PluginCell {
  return {
    isolation: 'inline',
    async load() {
      const lines = new LogLines();
      const escapes: string[] = [];
      const events = {
        onDisabled: (): void => undefined,
        onEscape: (thrown: unknown) => {
          const what = thrown instanceof Error ? thrown.message : String(thrown);
          escapes.push(`work that it left running failed: ${what}`);
        },
      };
      const own: PluginEntry = { ...entry, isolation: 'inline' };
      const options = loadOptionsFor(artefact, lines, directory);
      return underTest(await loadPlugin(own, String(nextLoad()), options, events), escapes, lines);
    },
  };
}

/** The isolations that the plugin's kind can run in, the cheapest first. */
export function cellsOf(source: CellSource): readonly PluginCell[] {
  return [inlineCell(source)];
}
