/** `grpc` isolation as the manager of the plugins starts it: from an entry to a program, or to an address. */
import { dirname, extname } from 'node:path';
import { PluginError } from '@bifrost/sdk';
import type { PluginLog } from '@bifrost/sdk';
import type { Environment } from '../../../config/references.ts';
import type { RemoteStart } from '../../supervisor/remote-load.ts';
import type { RemotePlugin } from '../remote-plugin.ts';
import { LogGate } from '../supervisor/log-gate.ts';
import { readGrpcTls } from './grpc-tls.ts';
import { scriptCommand } from './script-command.ts';
import { startGrpcPlugin } from './start-grpc-plugin.ts';
import type { GrpcPluginOptions } from './start-grpc-plugin.ts';

/** Run with the gateway's own Node: the file itself is no program. */
const scripts = ['.ts', '.mts', '.js', '.mjs'];
/** What any program may need to find its way; of the gateway's other variables it sees what it is granted. */
const plainVariables = ['PATH', 'HOME', 'LANG', 'LC_ALL', 'TZ', 'TMPDIR'];

/** Python would write into the plugin's folder, whose files a signature names one by one. */
const ownFolderUntouched = { PYTHONDONTWRITEBYTECODE: '1' };

export interface StartEntryOptions {
  /** The gateway's environment. */
  readonly environment: Environment;
  /** For the program's start, its description and its `Init`, each. @default 10000 */
  readonly initTimeoutMs?: number;
}

function environmentOf({ entry }: RemoteStart, environment: Environment): Readonly<Record<string, string>> {
  const names = [...plainVariables, ...(entry.capabilities?.env ?? [])];
  const inherited = names.flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...ownFolderUntouched, ...Object.fromEntries(inherited), ...entry.grpc?.env };
}

function programOf(start: RemoteStart, { environment }: StartEntryOptions): GrpcPluginOptions['program'] {
  const { entry, artefact, directory } = start;
  const file = artefact?.file;
  const args = entry.grpc?.args ?? [];
  const common = {
    directory: file === undefined ? directory : dirname(file),
    environment: environmentOf(start, environment),
  };
  const command = entry.grpc?.command;
  if (command !== undefined) return { ...common, command, args };
  if (file === undefined) return undefined;
  if (!scripts.includes(extname(file))) return { ...common, command: file, args };
  return { ...common, ...scriptCommand(file, args) };
}

/** Starts the plugin of an entry, or connects to it. Rejects with PluginError. */
export async function startGrpcEntry(start: RemoteStart, options: StartEntryOptions): Promise<RemotePlugin> {
  const { entry, artefact, log } = start;
  const { name, config, memoryLimitBytes, cpuLimit, grpc } = entry;
  const address = grpc?.address;
  const program = address === undefined ? programOf(start, options) : undefined;
  if (address === undefined && program === undefined) {
    throw new PluginError(name, 'a gRPC plugin needs a `path` or `command` to start, or an `address` to connect to', {
      code: 'BF_PLUGIN_ENTRY_INVALID',
    });
  }
  return startGrpcPlugin({
    name,
    config: config ?? {},
    log: logOf(log, entry.name),
    ...(options.initTimeoutMs === undefined ? {} : { initTimeoutMs: options.initTimeoutMs }),
    ...(program === undefined ? {} : { program }),
    ...(address === undefined ? {} : { address }),
    ...(grpc?.tls === undefined ? {} : { tls: readGrpcTls(name, start.directory, grpc.tls) }),
    ...(artefact?.manifest === undefined ? {} : { manifest: artefact.manifest }),
    ...(cpuLimit === undefined ? {} : { cpuLimit }),
    ...(memoryLimitBytes === undefined ? {} : { maxMemoryBytes: memoryLimitBytes }),
  });
}

/** Lines of the program, with the plugin's name and no more of them than a log can bear. */
function logOf(log: PluginLog, name: string): PluginLog {
  const gate = new LogGate(log, name);
  return {
    debug: (message, fields = {}) => gate.write('debug', message, fields),
    info: (message, fields = {}) => gate.write('info', message, fields),
    warn: (message, fields = {}) => gate.write('warn', message, fields),
    error: (message, fields = {}) => gate.write('error', message, fields),
  };
}
