/** The isolations that a plugin can be tested in on this machine, each with a way to load it. */
import type { PluginCell, PluginUnderTest } from '@bifrost/testkit/plugins';
import {
  connectRemote,
  createSharedStateBuffer,
  loadPlugin,
  remoteStarters,
  withCheckedConfig,
} from '@bifrost/framework/workbench';
import { messageOf } from '@bifrost/core/plugins';
import type { CheckedArtefact } from '@bifrost/framework/artefacts';
import type { LoadedPlugin, PluginEntry } from '@bifrost/framework/workbench';
import { loadOptionsFor, nextLoad } from './check-plugin.ts';
import { LogLines } from './log-lines.ts';

/** What is loaded, and from where. */
export interface CellSource {
  readonly entry: PluginEntry;
  readonly artefact: CheckedArtefact;
  readonly directory: string;
  /** In a thread or process of its own. @default true, as in tests of plugins */
  readonly areInputsFrozen?: boolean;
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
          escapes.push(`work that it left running failed: ${messageOf(thrown)}`);
        },
      };
      const own = withCheckedConfig({ ...entry, isolation: 'inline' }, artefact);
      const options = loadOptionsFor(artefact, lines, directory);
      return underTest(await loadPlugin(own, String(nextLoad()), options, events), escapes, lines);
    },
  };
}

/** A thread, a process or a program of its own, reached over a channel as a serving thread reaches it. */
function remoteCell(
  isolation: 'worker' | 'process' | 'grpc',
  { entry, artefact, directory, areInputsFrozen = true }: CellSource,
): PluginCell {
  return {
    isolation,
    async load() {
      const lines = new LogLines();
      const escapes: string[] = [];
      const own: PluginEntry = { ...entry, isolation };
      const load = nextLoad();
      const starters = remoteStarters({
        areInputsFrozen,
        onEscape: (_plugin, message) => escapes.push(`work that it left running failed: ${message}`),
      });
      const shared = createSharedStateBuffer();
      const remote = await starters[isolation]({ entry: own, artefact, load, log: lines.log, shared, directory });
      let isClosing = false;
      remote.onExit(({ reason }) => {
        if (!isClosing) escapes.push(`it ${reason}`);
      });
      const channel = await remote.openChannel();
      const events = { onDisabled: (): void => undefined, onEscape: (): void => undefined };
      const end = { entry: own, load, description: remote.description, channel };
      const loaded = await connectRemote(end, loadOptionsFor(artefact, lines, directory), events);
      const cleanup = async (): Promise<void> => {
        isClosing = true;
        await loaded.cleanup();
        await remote.close();
      };
      return underTest({ ...loaded, cleanup }, escapes, lines);
    },
  };
}

/** Native code runs in the other isolations as soon as it is loaded: whoever tests it means it to run. */
function withNativeGrant(source: CellSource): CellSource {
  const { entry, artefact } = source;
  if (artefact.kind !== 'native' && artefact.kind !== 'node-addon') return source;
  return { ...source, entry: { ...entry, capabilities: { ...entry.capabilities, native: true } } };
}

/** The isolations that the plugin's kind can run in, the cheapest first. */
export function cellsOf(source: CellSource): readonly PluginCell[] {
  if (source.artefact.kind === 'grpc') return [remoteCell('grpc', source)];
  return [inlineCell(source), remoteCell('worker', source), remoteCell('process', withNativeGrant(source))];
}
