import { join } from 'node:path';
import { ConfigError, GatewayError } from '@bifrost/sdk';
import type { Environment } from '@bifrost/framework/config';
import type { LogLevel, LogStyle } from '../logging/log-level.ts';
import { createLogger } from '../logging/logger.ts';
import { createLogWriter } from '../logging/log-writer.ts';
import { builtinPlugins } from '../plugins/builtin-plugins.ts';
import { startServer } from '../start-server.ts';
import type { RunningServer } from '../start-server.ts';
import { exitCodes } from './exit-codes.ts';
import { defaultAppDirectory } from './app-directory.ts';
import type { FlagValues } from './flag-table.ts';
import { formatHelp } from './help-text.ts';
import { inheritedSocket, reportReady, startSuccessor } from './hand-over.ts';
import { loadProgramConfig } from './load-program-config.ts';
import { parseFlags } from './parse-flags.ts';
import { ProgramInferenceKey } from './program-inference-key.ts';
import { ProgramAdmin } from './program-admin.ts';
import { keepMemorySteady } from './steady-memory.ts';
import { untilSignal } from './until-signal.ts';
import { formatBuildFacts, readBuildFacts } from './build-facts.ts';

/** What the program gets from outside: nothing below reads it elsewhere. */
export interface ProgramInput {
  readonly args: readonly string[];
  readonly environment: Environment;
  /** Standard error is a terminal. */
  readonly isTerminal: boolean;
  /** Writes to standard output, for people and scripts. */
  print(text: string): void;
  /** Writes to standard error. */
  complain(text: string): void;
}

/**
 * The line to try, which works as it stands: the embedded provider needs no key. Where callers need one that was not made just now,
 * it has to be in the environment.
 */
function formatCurl({ url, isInferenceOpen }: RunningServer, newKey: string | undefined): string {
  const body = '{"model":"mock/hello","messages":[{"role":"user","content":"Hello"}]}';
  const key = isInferenceOpen ? '' : ` -H "authorization: Bearer ${newKey ?? '$BIFROST_INFERENCE_KEY'}"`;
  return `curl ${url}/v1/chat/completions${key} -H 'content-type: application/json' -d '${body}'`;
}

interface StartedProgram {
  readonly server: RunningServer;
  readonly admin: ProgramAdmin;
  /** The admin token, where it was made at this start. */
  readonly newToken: string | undefined;
  /** The inference key, where it was made at this start. */
  readonly newKey: string | undefined;
}

async function start(values: FlagValues, { environment, isTerminal }: ProgramInput): Promise<StartedProgram> {
  const logLevel = (values['log-level'] ?? 'info') as LogLevel;
  const style = (values['log-style'] ?? (isTerminal ? 'pretty' : 'json')) as LogStyle;
  const isColoured = isTerminal && !environment['NO_COLOR'];
  const logSink = await createLogWriter({ style, isColoured });
  const logger = createLogger(logLevel, logSink);
  const inherited = inheritedSocket(environment, process.pid);
  const appDirectory = values['app-dir'] ?? defaultAppDirectory(environment);
  const admin = await ProgramAdmin.open({ environment, appDirectory, logger, builtins: builtinPlugins });
  const inferenceKey = new ProgramInferenceKey({ environment, appDirectory, logger });
  const server = await startServer({
    environment,
    pluginDirectory: join(appDirectory, 'plugins'),
    pluginMemory: join(appDirectory, 'plugin-kinds.json'),
    spoolDirectory: join(appDirectory, 'tmp'),
    admin: {
      tokenHash: admin.tokenHash,
      createHandler: (...given) => admin.createHandler(...given),
    },
    openInferenceKey: () => inferenceKey.open(),
    config: async () => {
      const config = await loadProgramConfig({
        environment,
        appDirectory,
        builtinPlugins,
        ...(values.config === undefined ? {} : { path: values.config }),
        ...(values['plugins-dir'] === undefined ? {} : { pluginsDirectory: values['plugins-dir'] }),
      });
      logger.info(`configuration from ${config.source}`, { providers: [...config.providers.keys()] });
      for (const note of config.notes) logger[note.level](note.message);
      return admin.withStoredPlugins(config);
    },
    logLevel,
    logSink,
    ...(values.host === undefined ? {} : { host: values.host }),
    ...(values.port === undefined ? {} : { port: Number(values.port) }),
    ...(inherited === undefined ? {} : { listenDescriptor: inherited }),
    ...(values.threads === undefined ? {} : { threads: Number(values.threads) }),
    ...(values['blocked-after-ms'] === undefined ? {} : { blockedAfterMs: Number(values['blocked-after-ms']) }),
  });
  if (!server.isLoopback && server.isInferenceOpen) {
    logger.warn(`listening on ${server.address}: whoever reaches it can use your providers' keys without a credential`);
  }
  return { server, admin, newToken: admin.newToken, newKey: inferenceKey.newKey };
}

/** Why the program cannot run, and the exit code for it. */
function explainFailure(error: unknown): { readonly text: string; readonly code: number } {
  if (GatewayError.isInstance(error)) {
    const isConfig = error instanceof ConfigError || error.code === 'BF_CONFIG_INVALID';
    return { text: error.message, code: isConfig ? exitCodes.misconfigured : exitCodes.failed };
  }
  return { text: error instanceof Error ? (error.stack ?? error.message) : String(error), code: exitCodes.failed };
}

/** Runs the program from its flags to its end; resolves with the exit code. */
export async function runProgram(input: ProgramInput): Promise<number> {
  const print = (text: string): void => input.print(text);
  const complain = (text: string): void => input.complain(text);
  const parsed = parseFlags(input.args, input.environment);
  if ('error' in parsed) {
    complain(`bifrost-http: ${parsed.error}\n`);
    return exitCodes.misconfigured;
  }
  const { values } = parsed;
  if (values.help !== undefined) {
    print(formatHelp());
    return exitCodes.done;
  }
  if (values.version !== undefined) {
    const facts = readBuildFacts();
    print(values.json === undefined ? formatBuildFacts(facts) : `${JSON.stringify(facts)}\n`);
    return exitCodes.done;
  }
  let started: StartedProgram;
  try {
    started = await start(values, input);
  } catch (error) {
    const { text, code } = explainFailure(error);
    complain(`bifrost-http: ${text}\n`);
    return code;
  }
  const { server, admin, newToken, newKey } = started;
  const handOver = async (): Promise<number> => {
    // What would be changed here after the successor has read the store, it would not know, and undo with its next change.
    await admin.holdChanges(true);
    try {
      return await startSuccessor(server.listenDescriptor, input.environment);
    } catch (error) {
      await admin.holdChanges(false);
      throw error;
    }
  };
  const graceMs = Number(values['drain-seconds'] ?? 30) * 1000;
  // Before anybody is told that it is ready: who knows may send a signal at once.
  const ended = untilSignal({ server, handOver, say: complain, graceMs });
  // The time counts from the start of the process: that is what an operator waits for.
  const readyMs = Math.round(performance.now());
  const count = server.threads.length;
  print(`bifrost-http is ready on ${server.url} (${count} ${count === 1 ? 'thread' : 'threads'}, ${readyMs} ms)\n`);
  print(`${formatCurl(server, newKey)}\n`);
  if (newKey !== undefined) print(`inference key, shown this once: ${newKey}\n`);
  if (newToken !== undefined) print(`admin token, shown this once: ${newToken}\n`);
  reportReady(input.environment);
  void keepMemorySteady();
  return ended;
}
