/** Starts a gRPC plugin, or connects to a remote one: handshake, health, description, `init`; then watches over it. */
import { PluginError } from '@bifrost/sdk';
import type { JsonObject, PluginLog, PluginManifest } from '@bifrost/sdk';
import type { ConfigViewName } from '../../config-view.ts';
import { CpuMeter, cpuIntervalMs } from '../cpu-meter.ts';
import { readGrpcDescription } from './grpc-description.ts';
import { GrpcControl } from './grpc-control.ts';
import { PluginProgram } from './plugin-program.ts';
import { protocolVersions } from './plugin-service.ts';
import type { GrpcTls, PluginDescription, RemoteChannel, RemoteExit, RemotePlugin } from '../remote-plugin.ts';

export interface GrpcPluginOptions {
  /** The entry's name. */
  readonly name: string;
  /** The program; absent where `address` is given. */
  readonly program?: {
    readonly command: string;
    readonly args?: readonly string[];
    readonly directory: string;
    readonly environment: Readonly<Record<string, string>>;
  };
  /** Of a server that runs already: `unix:/path`, `host:port`, `https://host:port`. */
  readonly address?: string;
  /** For an address on another machine. */
  readonly tls?: GrpcTls;
  readonly config: JsonObject;
  readonly manifest?: PluginManifest;
  readonly log: PluginLog;
  /** For the program's start, its description and its `Init`, each. @default 10000 */
  readonly initTimeoutMs?: number;
  /** @default 5000 */
  readonly cleanupTimeoutMs?: number;
  /** How often its health is asked. @default 5000 */
  readonly healthEveryMs?: number;
  /** Resident memory above which the program is ended, in bytes. @default none */
  readonly maxMemoryBytes?: number;
  /** Processors that the program may use on average. @default any */
  readonly cpuLimit?: number;
  /** Over how long, in milliseconds. @default 10000 */
  readonly cpuWindowMs?: number;
}

const failedChecks = 3;
const lostGraceMs = 200;

class GrpcPlugin implements RemotePlugin {
  readonly description: PluginDescription;
  readonly #options: GrpcPluginOptions;
  readonly #control: GrpcControl;
  readonly #program: PluginProgram | undefined;
  readonly #address: string;
  readonly #timer: NodeJS.Timeout;
  readonly #cpuTimer: NodeJS.Timeout | undefined;
  readonly #cpu: CpuMeter;
  #exit: RemoteExit | undefined;
  #listener: ((exit: RemoteExit) => void) | undefined;
  #failures = 0;
  #closing: Promise<void> | undefined;

  constructor(
    options: GrpcPluginOptions,
    parts: {
      readonly description: PluginDescription;
      readonly control: GrpcControl;
      readonly program: PluginProgram | undefined;
      readonly address: string;
    },
  ) {
    this.#options = options;
    this.description = parts.description;
    this.#control = parts.control;
    this.#program = parts.program;
    this.#address = parts.address;
    this.#timer = setInterval(() => void this.#watch(), options.healthEveryMs ?? 5000);
    this.#timer.unref();
    this.#cpu = new CpuMeter(options.cpuWindowMs);
    this.#cpuTimer =
      this.#program === undefined ? undefined : setInterval(() => this.#countCpu(), cpuIntervalMs).unref();
    void this.#program?.ended.then((how) => this.#ended(how));
    // A program that ends is known to in a moment, with the reason.
    this.#control.whenLost(() => setTimeout(() => this.#ended('lost its connection'), lostGraceMs).unref());
  }

  openChannel(): Promise<RemoteChannel> {
    const { tls } = this.#options;
    const secured = tls === undefined ? {} : { tls };
    return Promise.resolve({ kind: 'grpc', address: this.#address, serviceVersion: 'v1', ...secured });
  }

  onExit(listener: (exit: RemoteExit) => void): void {
    this.#listener = listener;
    if (this.#exit !== undefined) listener(this.#exit);
  }

  viewConfig(view: ConfigViewName, config: JsonObject): Promise<JsonObject> {
    return this.#control.viewConfig(this.#options.name, view, config);
  }

  memoryBytes(): number | undefined {
    return this.#program?.memoryBytes();
  }

  cpuLoad(): number | undefined {
    return this.#cpu.load;
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer);
    clearInterval(this.#cpuTimer);
    if (this.#exit === undefined) {
      const { name, log, cleanupTimeoutMs = 5000 } = this.#options;
      await this.#control.cleanup(cleanupTimeoutMs).catch((error: unknown) => {
        log.warn(`plugin ${name}: cleanup failed: ${error instanceof Error ? error.message : String(error)}`);
      });
    }
    this.#control.close();
    await this.#program?.end();
  }

  async #watch(): Promise<void> {
    const { maxMemoryBytes } = this.#options;
    const memory = this.memoryBytes();
    if (maxMemoryBytes !== undefined && memory !== undefined && memory > maxMemoryBytes) {
      this.#ended(`was ended: its memory passed ${Math.round(maxMemoryBytes / 1_048_576)} MB`);
      return;
    }
    const isServing = await this.#control.isServing(this.#options.healthEveryMs ?? 5000);
    this.#failures = isServing ? 0 : this.#failures + 1;
    if (this.#failures >= failedChecks) this.#ended(`was ended: it did not serve in ${failedChecks} health checks`);
  }

  #countCpu(): void {
    const cpuMs = this.#program?.cpuMs();
    if (cpuMs === undefined) return;
    this.#cpu.add(cpuMs);
    const overrun = this.#cpu.overrun(this.#options.cpuLimit);
    if (overrun !== undefined) this.#ended(overrun);
  }

  #ended(reason: string): void {
    if (this.#exit !== undefined || this.#closing !== undefined) return;
    clearInterval(this.#timer);
    clearInterval(this.#cpuTimer);
    this.#exit = { reason };
    this.#control.close();
    void this.#program?.end();
    this.#listener?.(this.#exit);
  }
}

async function reach(options: GrpcPluginOptions, program: PluginProgram | undefined): Promise<string> {
  const { name, address, initTimeoutMs = 10_000 } = options;
  if (address !== undefined) return address;
  if (program !== undefined) return program.address(initTimeoutMs);
  throw new PluginError(name, 'a gRPC plugin needs a program (`path` or `command`) or an `address`', {
    code: 'BF_PLUGIN_ENTRY_INVALID',
  });
}

async function describe(options: GrpcPluginOptions, control: GrpcControl): Promise<PluginDescription> {
  const { name, manifest, address, initTimeoutMs = 10_000 } = options;
  await control.connect(initTimeoutMs);
  if (!(await control.isServing(initTimeoutMs))) throw new Error('its health service says that it is not serving');
  const answer = await control.describe(initTimeoutMs);
  if (address !== undefined && !protocolVersions.includes(answer.protocol)) {
    throw new Error(
      `it speaks version ${answer.protocol} of the plugin protocol; this gateway speaks ${protocolVersions.join(', ')}`,
    );
  }
  return readGrpcDescription(name, answer.description, manifest);
}

/** What kept it from being loaded, as a PluginError. */
function explain(name: string, error: unknown): PluginError {
  if (error instanceof PluginError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new PluginError(name, message, { code: 'BF_PLUGIN_GRPC_FAILED', cause: error });
}

/** Resolves once `init` has succeeded. Rejects with PluginError; nothing is left running then. */
export async function startGrpcPlugin(options: GrpcPluginOptions): Promise<RemotePlugin> {
  const { name, config, log, initTimeoutMs = 10_000 } = options;
  const program =
    options.program === undefined || options.address !== undefined
      ? undefined
      : new PluginProgram({ ...options.program, startTimeoutMs: initTimeoutMs, log });
  let control: GrpcControl | undefined;
  try {
    const address = await reach(options, program);
    control = new GrpcControl(address, options.tls);
    const description = await describe(options, control);
    await control.init({ name, config }, initTimeoutMs);
    control.followLogs(log);
    return new GrpcPlugin(options, { description, control, program, address });
  } catch (error) {
    control?.close();
    await program?.end();
    throw explain(name, error);
  }
}
