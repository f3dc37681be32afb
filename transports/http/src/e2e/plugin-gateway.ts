/** A gateway in a process of its own whose plugins are steered as an operator does: over the admin API. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JsonObject } from '@bifrost/sdk';
import { Program } from '../__tests__/program.ts';

const token = 'the-admin-token-of-the-tests';

/** What the admin API says of a plugin; the members that the tests look at. */
export interface ShownPlugin {
  readonly name: string;
  readonly isolation: string;
  readonly hooks: readonly string[];
  readonly code: string | null;
  readonly config: JsonObject;
  readonly lastError: { readonly message: string; readonly code?: string } | null;
  readonly status: { readonly status: string; readonly logs: readonly string[] };
  readonly instances: { readonly serving: number; readonly draining: number };
}

export interface PluginGatewayOptions {
  readonly config?: JsonObject;
  /** @default 1 */
  readonly threads?: number;
  readonly flags?: readonly string[];
  /** Node's own flags, for all threads. */
  readonly nodeFlags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** A refusal of the admin API. */
export class RefusedChange extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(`${status}: ${message}`);
    this.status = status;
  }
}

/** The program, its admin API and its metrics. */
export class PluginGateway implements AsyncDisposable {
  readonly program: Program;
  readonly url: string;
  readonly folder: string;

  private constructor(program: Program, url: string, folder: string) {
    this.program = program;
    this.url = url;
    this.folder = folder;
  }

  /** Starts it on a free port and waits until it serves. */
  static async start(options: PluginGatewayOptions = {}): Promise<PluginGateway> {
    const folder = mkdtempSync(join(tmpdir(), 'bifrost-plugins-'));
    const config = join(folder, 'config.json');
    writeFileSync(config, JSON.stringify(options.config ?? {}));
    const flags = ['-config', config, '-app-dir', folder, '-port', '0', '-threads', String(options.threads ?? 1)];
    const environment = { ...options.environment, BIFROST_ADMIN_TOKEN: token };
    const program = new Program([...flags, ...(options.flags ?? [])], environment, options.nodeFlags);
    return new PluginGateway(program, (await program.ready()).replace('localhost', '127.0.0.1'), folder);
  }

  get pid(): number {
    return this.program.child.pid ?? 0;
  }

  /** All it has printed. */
  get output(): string {
    return this.program.stdout + this.program.stderr;
  }

  /** A call of the admin API. Throws RefusedChange with its message for a status of 400 and above. */
  async admin<Body>(method: string, path: string, body?: unknown): Promise<Body> {
    const response = await fetch(`${this.url}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const answer = (await response.json()) as Body & { readonly error?: { readonly message: string } };
    if (response.status >= 400) throw new RefusedChange(response.status, answer.error?.message ?? 'no message');
    return answer;
  }

  async add(entry: object): Promise<ShownPlugin> {
    return (await this.admin<{ readonly plugin: ShownPlugin }>('POST', '/api/plugins', entry)).plugin;
  }

  async change(name: string, entry: object): Promise<void> {
    await this.admin('PUT', `/api/plugins/${name}`, entry);
  }

  async reload(name: string): Promise<void> {
    await this.admin('POST', `/api/plugins/${name}/reload`);
  }

  async remove(name: string): Promise<void> {
    await this.admin('DELETE', `/api/plugins/${name}`);
  }

  async plugin(name: string): Promise<ShownPlugin> {
    return this.admin('GET', `/api/plugins/${name}`);
  }

  /** The sum of a metric's series whose labels match. */
  async metric(series: string, ...labels: readonly RegExp[]): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    return text
      .split('\n')
      .filter((line) => line.startsWith(`${series}{`) || line.startsWith(`${series} `))
      .filter((line) => labels.every((label) => label.test(line)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  /** Instances of the contract's plugin that were begun and ended since the start, by what they say in the log themselves. */
  instances(name: string): { readonly inits: number; readonly cleanups: number; readonly live: number } {
    const lines = this.output
      .split('\n')
      .filter((line) => line.includes('contract: an instance is ') && line.includes(name));
    const inits = lines.filter((line) => line.includes('an instance is begun')).length;
    const cleanups = lines.length - inits;
    return { inits, cleanups, live: inits - cleanups };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.program[Symbol.asyncDispose]();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
