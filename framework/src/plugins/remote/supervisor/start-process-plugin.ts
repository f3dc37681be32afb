/** `process` isolation: the plugin in a process of its own, held to what is granted. */
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readSync, realpathSync, writeFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { hookNames, PluginError } from '@bifrost/sdk';
import type { HookName } from '@bifrost/sdk';
import { codeDirectories, realmEntry, startChild } from '../../../realms/index.ts';
import type { ChildOptions, RealmEntry } from '../../../realms/index.ts';
import type { ToRunner } from '../control.ts';
import { isBreach } from '../channel.ts';
import { defaultMaxMessageBytes } from '../connect-remote-plugin.ts';
import { readProcessCpuMs } from '../cpu-meter.ts';
import type { RemoteChannel, RemotePlugin } from '../remote-plugin.ts';
import { describeExit } from './describe-exit.ts';
import { readOutputLines } from './output-lines.ts';
import { PluginConnector } from './plugin-connector.ts';
import { posixCalls } from './posix-calls.ts';
import type { PosixCalls } from './posix-calls.ts';
import { ProcessControl } from './process-control.ts';
import { processFlags } from './process-flags.ts';
import type { Realm, RealmEvents } from './realm.ts';
import { grantedEnvironment } from './remote-options.ts';
import type { RemotePluginOptions } from './remote-options.ts';
import { memoryLimitOf, runnerStartOf } from './runner-start.ts';
import { SupervisedPlugin } from './supervised-plugin.ts';

const processEntry = realmEntry('plugin-process', new URL('../runner/process-main.ts', import.meta.url));

/** A process that the kernel does not let go in this time is left to itself. */
const killMs = 2000;
/** For a process that closes its control connection because it is ending. */
const closedGraceMs = 100;
const pageBytes = 4096;
const activityBytes = 4096;

export interface ProcessPluginOptions extends RemotePluginOptions {
  /** Folders that hold what is not the plugin's, such as the configuration's: never readable as a whole. @default the working directory */
  readonly sharedDirectories?: readonly string[];
  /** Starts a process on our entry. @default `startChild` of the realms */
  readonly startChild?: (entry: RealmEntry, options: ChildOptions) => ChildProcess;
  /** Null: channels go through the supervisor, as on systems without these calls. @default those of this system */
  readonly posixCalls?: PosixCalls | null;
}

/** What of a process is a descriptor of ours, each closed at its end. */
interface Descriptors {
  /** Our end of the socket over which descriptors are handed to the child. */
  readonly handing: number;
  /** Memory that the child writes to: the hook that it runs. */
  readonly activity: number;
}

class ProcessRealm implements Realm {
  readonly kind = 'process';
  readonly #options: ProcessPluginOptions;
  readonly #posix: PosixCalls | undefined;
  readonly #descriptors: Descriptors | undefined;
  readonly #child: ChildProcess;
  readonly #control: ProcessControl;
  readonly #connector: PluginConnector;
  readonly #exited = Promise.withResolvers<void>();
  /** Open files of `/proc`: they stay those of this process whoever gets its number. */
  #statistics: { readonly memory: number; readonly cpu: number } | undefined;
  #channels = 0;
  #hasExited = false;
  #lastErrorLine = '';
  #protocolFault: string | undefined;

  constructor(options: ProcessPluginOptions, events: RealmEvents) {
    this.#options = options;
    this.#posix = options.posixCalls === null ? undefined : (options.posixCalls ?? posixCalls());
    const theirs = this.#posix?.socketPair();
    this.#descriptors =
      theirs === undefined || this.#posix === undefined
        ? undefined
        : { handing: theirs[0], activity: this.#posix.memoryFile(activityBytes) };
    this.#child = this.#start(theirs?.[1]);
    if (theirs !== undefined) closeSync(theirs[1]);
    const { stdout, stderr, pid } = this.#child;
    // Both are pipes, as is the fourth.
    if (stdout !== null) readOutputLines(stdout, (line) => events.onOutput(line, false));
    if (stderr !== null) {
      readOutputLines(stderr, (line) => {
        this.#lastErrorLine = line.includes('heap out of memory') ? line : this.#lastErrorLine;
        events.onOutput(line, true);
      });
    }
    if (pid !== undefined) this.#openStatisticsOf(pid);
    this.#control = new ProcessControl(this.#child.stdio[3] as Duplex, {
      onMessage: (message) => {
        if (message.kind === 'connect') void this.#connector.connect(message);
        else events.onMessage(message);
      },
      onClose: (reason) => this.#onControlClosed(reason),
      maxMessageBytes: options.maxMessageBytes ?? defaultMaxMessageBytes,
    });
    this.#connector = new PluginConnector({
      grants: options.entry.capabilities?.net ?? [],
      handOver: (descriptor) => this.#handOver(descriptor),
      answer: (answer) => this.#control.send({ kind: 'connected', ...answer }),
    });
    this.#child.on('error', (error) => this.#onEnd(events, `could not be started: ${error.message}`));
    this.#child.on('exit', (code, signal) => {
      this.#killGroup(); // what it has started itself
      this.#onEnd(events, this.#protocolFault ?? describeExit(code, signal, this.#lastErrorLine));
    });
    this.send({ kind: 'start', start: runnerStartOf(options) });
  }

  send(message: ToRunner): void {
    this.#control.send(message);
  }

  openChannel(): RemoteChannel {
    this.#channels += 1;
    const channel = this.#channels;
    const pair = this.#posix?.socketPair();
    if (pair === undefined) return this.#control.openTunnel(channel);
    const [ours, theirs] = pair;
    const isSent = this.#handOver(theirs);
    closeSync(theirs);
    if (!isSent) {
      closeSync(ours);
      throw new PluginError(this.#options.entry.name, 'its process takes no more channels', {
        code: 'BF_PLUGIN_NOT_SERVING',
      });
    }
    this.send({ kind: 'open', channel });
    return { kind: 'descriptor', descriptor: ours };
  }

  sampleMemory(): Promise<number | undefined> {
    if (this.#statistics === undefined) return Promise.resolve(undefined);
    const text = Buffer.alloc(64);
    try {
      const size = readSync(this.#statistics.memory, text, 0, text.length, 0);
      const [, resident] = text.toString('latin1', 0, size).split(' ');
      return Promise.resolve(resident === undefined ? undefined : Number(resident) * pageBytes);
    } catch {
      return Promise.resolve(undefined); // it has gone
    }
  }

  sampleCpu(): Promise<number | undefined> {
    return Promise.resolve(this.#statistics === undefined ? undefined : readProcessCpuMs(this.#statistics.cpu));
  }

  currentHook(): HookName | undefined {
    if (this.#descriptors === undefined || this.#hasExited) return undefined;
    const mark = Buffer.alloc(4);
    readSync(this.#descriptors.activity, mark, 0, 4, 0);
    return hookNames[mark.readInt32LE(0) - 1];
  }

  async kill(): Promise<void> {
    this.#connector.close();
    if (this.#hasExited) return;
    this.#killGroup();
    const timeout = Promise.withResolvers<void>();
    const timer = setTimeout(timeout.resolve, killMs);
    await Promise.race([this.#exited.promise, timeout.promise]);
    clearTimeout(timer);
  }

  #start(handing: number | undefined): ChildProcess {
    const { entry, artefact, sharedDirectories, startChild: start = startChild } = this.#options;
    const flags = processFlags({
      entry,
      artefact,
      codeDirectories: codeDirectories().map((path) => realpathSync(path)),
      sharedDirectories: sharedDirectories ?? [process.cwd()],
      memoryLimitBytes: memoryLimitOf(this.#options),
      hasPosixCalls: handing !== undefined,
    });
    const inherited = handing === undefined ? [] : [handing, this.#descriptors?.activity];
    return start(processEntry, {
      nodeFlags: flags,
      environment: grantedEnvironment(this.#options),
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', ...inherited],
      isOwnGroup: true,
    });
  }

  #openStatisticsOf(pid: number): void {
    if (process.platform !== 'linux') return;
    try {
      this.#statistics = { memory: openSync(`/proc/${pid}/statm`, 'r'), cpu: openSync(`/proc/${pid}/stat`, 'r') };
      // Where the machine runs out of memory, this process is the one to go.
      writeFileSync(`/proc/${pid}/oom_score_adj`, '1000');
    } catch {
      // It has gone already, or /proc is not there: then its own limit has to do.
    }
  }

  #handOver(descriptor: number): boolean {
    if (this.#descriptors === undefined || this.#hasExited) return false;
    return this.#posix?.sendDescriptor(this.#descriptors.handing, descriptor) === true;
  }

  #onControlClosed(reason: string): void {
    if (this.#hasExited) return;
    if (isBreach(reason)) this.#protocolFault = `was ended: ${reason}`;
    // Without control it is of no use; if it is ending by itself this changes nothing.
    setTimeout(() => {
      // By then another process may have its number.
      if (!this.#hasExited) this.#killGroup();
    }, closedGraceMs).unref();
  }

  #killGroup(): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // Nobody is left in it.
    }
  }

  #onEnd(events: RealmEvents, reason: string): void {
    if (this.#hasExited) return;
    const hook = this.currentHook();
    this.#hasExited = true;
    this.#connector.close();
    this.#control.close();
    if (this.#statistics !== undefined) {
      closeSync(this.#statistics.memory);
      closeSync(this.#statistics.cpu);
      this.#statistics = undefined;
    }
    if (this.#descriptors !== undefined) {
      closeSync(this.#descriptors.handing);
      closeSync(this.#descriptors.activity);
    }
    this.#exited.resolve();
    events.onEnd(reason, hook);
  }
}

/** Starts the plugin in a process. Rejects with PluginError as an inline load does. */
export async function startProcessPlugin(options: ProcessPluginOptions): Promise<RemotePlugin> {
  const { artefact } = options;
  // Rights are given to real paths.
  const real = { ...options, artefact: { ...artefact, file: realpathSync(artefact.file) } };
  return SupervisedPlugin.start(real, (events) => new ProcessRealm(real, events));
}
