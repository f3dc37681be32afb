import { availableParallelism, tmpdir } from 'node:os';
import { performance } from 'node:perf_hooks';
import { createStateMakersBuffer } from '@bifrost/core/state-makers';
import type { LoadedConfig } from '@bifrost/framework/config';
import { FilePluginMemory, PluginManager, PluginWatch } from '@bifrost/framework/plugin-manager';
import type { RemoteStartersOptions, StartRemote } from '@bifrost/framework/plugins';
import type { AdminAnswer, AdminHandler, AdminRequest } from './admin/admin-message.ts';
import { ExplanationLog } from './admin/explain/explanation-log.ts';
import type { LogLevel } from './logging/log-level.ts';
import { createLogger } from './logging/logger.ts';
import type { LogSink, Logger } from './logging/logger.ts';
import { findArtefact } from './plugins/find-artefact.ts';
import { readVersion } from './program/version.ts';
import { openDescriptorCalls } from './serving/duplicate-descriptor.ts';
import { adoptListeningSocket, openListeningSocket } from './supervisor/listening-socket.ts';
import { InferenceGate } from './supervisor/inference-gate.ts';
import type { ListeningSocket } from './supervisor/listening-socket.ts';
import { createLedgerCells } from './serving/bodies/body-ledger.ts';
import { formatError } from './serving/error-shape.ts';
import type { ThreadConfig } from './supervisor/messages.ts';
import { RecordingLink } from './supervisor/recording-link.ts';
import { Supervisor } from './supervisor/supervisor.ts';
import type { SupervisorOptions } from './supervisor/supervisor.ts';
import type { WatchLimits } from './supervisor/thread-watch.ts';

export interface StartServerOptions {
  /** The configuration, or how to get it; the threads load meanwhile. */
  readonly config: LoadedConfig | (() => Promise<LoadedConfig>);
  /** @default 'localhost' */
  readonly host?: string;
  /** 0 takes any free port. @default 8080 */
  readonly port?: number;
  /** A socket that is bound already, in the place of `host` and `port`: handed over by the process before, or by systemd. */
  readonly listenDescriptor?: number;
  /** @default the cores */
  readonly threads?: number;
  /** @default 'info' */
  readonly logLevel?: LogLevel;
  /** Takes log records of all threads. @default they are dropped */
  readonly logSink?: LogSink;
  /** A serving thread that stands still for longer is replaced. @default 2000 */
  readonly blockedAfterMs?: number;
  /** The same while a plugin's hook runs in it; the plugin is then quarantined. @default 1000 */
  readonly pluginBlockedAfterMs?: number;
  /** A serving thread with more heap and buffers is replaced, while there are plugins in it. 0: never. @default 1024 */
  readonly maxThreadMegabytes?: number;
  /** The environment, of which plugins see what they are granted. @default empty */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Where downloaded and uploaded plugins are kept. Absent: neither are taken. */
  readonly pluginDirectory?: string;
  /** The file that says what plugins were at earlier starts. @default nothing is known of those that cannot be loaded */
  readonly pluginMemory?: string;
  /** Where large request bodies are put while they are under way. @default the system's folder for temporary files */
  readonly spoolDirectory?: string;
  /** The admin API; without it there is none. */
  readonly admin?: {
    /** SHA-256 of the admin token, in hexadecimal digits. */
    readonly tokenHash: string;
    /** Makes what answers the calls; called with the first one. */
    readonly createHandler: (
      plugins: PluginManager,
      explanations: ExplanationLog,
      recordings: RecordingLink,
    ) => Promise<AdminHandler>;
  };
  /**
   * SHA-256 (hexadecimal digits) of the inference key, where callers need one and the configuration gives none. Without it, such a
   * configuration is refused.
   */
  readonly openInferenceKey?: () => Promise<string>;
  /** Module (URL) that exports `createEngine`. @default '@bifrost/core' */
  readonly engineModule?: string;
}

/** A gateway that serves. */
export interface RunningServer {
  /** For clients on this machine, e.g. `http://localhost:8080`. */
  readonly url: string;
  readonly port: number;
  /** The address it is bound to. */
  readonly address: string;
  readonly isLoopback: boolean;
  /** Callers of inference need no key. */
  readonly isInferenceOpen: boolean;
  /** The listening socket, for a process that is to take it over. */
  readonly listenDescriptor: number;
  /** Numbers of the threads that serve at this moment. */
  readonly threads: readonly number[];
  /** From the call of `startServer` until every thread served. */
  readonly readyMs: number;
  /** Threads that did not end when they were told to; with one, only a kill ends the process. */
  readonly abandonedThreads: number;
  /** The plugins of all threads. */
  readonly plugins: PluginManager;
  /** Hands a new configuration to all threads; resolves when all use it for new requests. Host and port stay. */
  reconfigure(config: LoadedConfig): Promise<void>;
  /** Stops accepting, lets requests under way end for at most `graceMs` (default 30,000), then ends the threads. */
  close(graceMs?: number): Promise<void>;
  /** Ends the threads at once. */
  kill(): Promise<void>;
}

const defaultBlockedAfterMs = 2000;
const defaultPluginBlockedAfterMs = 1000;
const defaultMaxThreadMegabytes = 1024;
const defaultGraceMs = 30_000;

function toThreadConfig(
  { providers, client, allowedHeaders, models }: LoadedConfig,
  rest: Pick<ThreadConfig, 'version' | 'inferenceKeyHash'>,
): ThreadConfig {
  return { ...rest, providers, client, allowedHeaders, knownModels: models };
}

function limitsOf(options: StartServerOptions): WatchLimits {
  return {
    blockedAfterMs: options.blockedAfterMs ?? defaultBlockedAfterMs,
    pluginBlockedAfterMs: options.pluginBlockedAfterMs ?? defaultPluginBlockedAfterMs,
    maxThreadBytes: (options.maxThreadMegabytes ?? defaultMaxThreadMegabytes) * 1_048_576,
  };
}

/** Starts plugins outside the serving threads; what that needs is loaded with the first of them. */
function lateStarters(options: RemoteStartersOptions): Readonly<Record<'worker' | 'process' | 'grpc', StartRemote>> {
  const starters = async (): Promise<ReturnType<typeof lateStarters>> => {
    const { remoteStarters } = await import('@bifrost/framework/remote-plugins');
    return remoteStarters(options);
  };
  return {
    worker: async (start) => (await starters()).worker(start),
    process: async (start) => (await starters()).process(start),
    grpc: async (start) => (await starters()).grpc(start),
  };
}

const noAdmin: AdminAnswer = {
  statusCode: 500,
  body: formatError('unified', {
    statusCode: 500,
    code: 'BF_ADMIN_FAILED',
    message: "the admin API failed; the gateway's log says why",
  }),
};

/** Has what answers the calls of the admin API made with the first call; made anew where that failed. Never rejects. */
function lateAdminHandler(
  create: () => Promise<AdminHandler> | undefined,
  logger: Logger,
): (request: AdminRequest) => Promise<AdminAnswer> {
  let handler: Promise<AdminHandler> | undefined;
  return async (request) => {
    try {
      handler ??= create();
      return (await handler)?.handle(request) ?? noAdmin;
    } catch (error) {
      handler = undefined;
      logger.error('the admin API failed', { error: String(error) });
      return noAdmin;
    }
  };
}

/** The URL for clients on this machine. */
function urlFor({ isLoopback, address, port }: ListeningSocket, host: string): string {
  const shown = isLoopback || address === '0.0.0.0' || address === '::' ? 'localhost' : host;
  return `http://${shown.includes(':') ? `[${shown}]` : shown}:${port}`;
}

/** What every serving thread is born with. */
function threadStart(
  { fileDescriptor, isLoopback }: ListeningSocket,
  { logLevel = 'info', engineModule = '@bifrost/core', admin, spoolDirectory }: StartServerOptions,
): SupervisorOptions['start'] {
  return {
    listenDescriptor: fileDescriptor,
    stateMakers: createStateMakersBuffer(),
    isLoopback,
    bodyCells: createLedgerCells(),
    spoolDirectories: [...(spoolDirectory === undefined ? [] : [spoolDirectory]), tmpdir()],
    logLevel,
    engineModule,
    version: readVersion(),
    ...(admin === undefined ? {} : { adminTokenHash: admin.tokenHash }),
  };
}

/** The socket that was handed over, or one of our own. */
async function openSocket(host: string, { port, listenDescriptor }: StartServerOptions): Promise<ListeningSocket> {
  if (listenDescriptor === undefined) return openListeningSocket(host, port ?? 8080);
  const socket = adoptListeningSocket(listenDescriptor);
  // It came here through the start of this program, and would go on through the start of every plugin's.
  (await openDescriptorCalls()).keepFromPrograms(listenDescriptor);
  return socket;
}

/**
 * Starts the gateway in this process: one listening socket, N serving threads on it. Rejects, with nothing left running, where
 * the configuration is wrong, the port is taken or a thread does not come up.
 */
export async function startServer(options: StartServerOptions): Promise<RunningServer> {
  const startedAt = performance.now();
  const { host = 'localhost', logLevel = 'info', logSink = () => undefined, pluginDirectory } = options;
  const socket = await openSocket(host, options);
  const logger = createLogger(logLevel, logSink);
  const explanations = new ExplanationLog();
  const recordings = new RecordingLink((orders) => supervisor.record(orders));
  const supervisor = new Supervisor({
    threads: options.threads ?? availableParallelism(),
    limits: limitsOf(options),
    logger,
    logSink,
    start: threadStart(socket, options),
    handleAdmin: lateAdminHandler(() => options.admin?.createHandler(plugins, explanations, recordings), logger),
    onExplained: (request) => explanations.add(request),
    recordings,
  });
  let current: LoadedConfig | undefined;
  const plugins = new PluginManager({
    group: supervisor,
    log: logger,
    startRemote: lateStarters({ environment: options.environment ?? {}, models: () => current?.models ?? [] }),
    resolveArtefact: (entry, directory) =>
      findArtefact(entry, { baseDirectory: directory, pluginDirectory, trust: current?.pluginTrust }),
    ...(options.pluginMemory === undefined ? {} : { memory: new FilePluginMemory(options.pluginMemory, logger) }),
  });
  let version = 0;
  const gate = new InferenceGate(socket.isLoopback, options.openInferenceKey);
  const configure = async (config: LoadedConfig): Promise<void> => {
    const access = await gate.settingsFor(config);
    current = config;
    const settings = toThreadConfig(config, { version: ++version, ...access });
    await plugins.load(config.plugins, { directory: config.directory, settings });
    gate.isOpen = access.inferenceKeyHash === undefined;
  };
  let watch: PluginWatch | undefined;
  try {
    supervisor.spawnAll();
    await configure(typeof options.config === 'function' ? await options.config() : options.config);
    watch = new PluginWatch(plugins, logger);
  } catch (error) {
    await supervisor.kill();
    await plugins.close();
    socket.close();
    throw error;
  }
  const readyMs = performance.now() - startedAt;
  return {
    url: urlFor(socket, host),
    port: socket.port,
    address: socket.address,
    isLoopback: socket.isLoopback,
    get isInferenceOpen() {
      return gate.isOpen;
    },
    listenDescriptor: socket.fileDescriptor,
    readyMs,
    get threads() {
      return supervisor.servingThreads;
    },
    get abandonedThreads() {
      return supervisor.abandonedThreads;
    },
    plugins,
    reconfigure: configure,
    close: async (graceMs = defaultGraceMs) => {
      // The threads' duplicates still accept until they drain; without this one the socket closes with the last of them.
      socket.close();
      watch?.close();
      await supervisor.close(graceMs);
      await recordings.close();
      await plugins.close();
    },
    kill: async () => {
      socket.close();
      watch?.close();
      await supervisor.kill();
      await plugins.close();
    },
  };
}
