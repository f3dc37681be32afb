/** A plugin's program as a child process: started, listened to until it says where its server is, ended with all that it started. */
import { spawn } from 'node:child_process';
import type { ChildProcessByStdio } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { apiRelease } from '@bifrost/sdk';
import type { PluginLog } from '@bifrost/sdk';
import { readProcessCpuMs } from '../cpu-meter.ts';
import { GroupKeeper } from './group-keeper.ts';
import { maxHandshakeBytes, parseHandshake } from './handshake.ts';
import { protocolVersions } from './plugin-service.ts';
import { explainStartFailure, tellingLine } from './start-failure.ts';

export interface PluginProgramOptions {
  readonly command: string;
  readonly args?: readonly string[];
  /** The program's working directory. */
  readonly directory: string;
  /** Its whole environment but for what the start itself says. */
  readonly environment: Readonly<Record<string, string>>;
  /** Milliseconds until it must have said where it listens. */
  readonly startTimeoutMs: number;
  readonly log: PluginLog;
}

const maxLineBytes = 8192;
const endWithinMs = 1000;
/** How long the last words of a program that has ended are waited for. */
const lastWordsWithinMs = 100;
const maxWords = 300;
const keptLines = 40;
const bytesPerPage = 4096;

export class PluginProgram {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #socketDirectory: string;
  readonly #log: PluginLog;
  readonly #ended: Promise<string>;
  readonly #keeper: GroupKeeper | undefined;
  readonly #isSilent: Promise<unknown>;
  readonly #lastLines: string[] = [];
  #isAsked = false;

  constructor(options: PluginProgramOptions) {
    this.#log = options.log;
    this.#socketDirectory = mkdtempSync(join(tmpdir(), 'bifrost-plugin-'));
    this.#child = spawn(options.command, options.args ?? [], {
      cwd: options.directory,
      env: {
        ...options.environment,
        BIFROST_PLUGIN: '1',
        BIFROST_PLUGIN_API: apiRelease,
        BIFROST_PLUGIN_PROTOCOLS: protocolVersions.join(','),
        BIFROST_PLUGIN_SOCKET_DIR: this.#socketDirectory,
      },
      stdio: ['pipe', 'pipe', 'pipe'],
      // A process group of its own: what the plugin starts is ended with it.
      detached: true,
    });
    this.#keeper = this.#child.pid === undefined ? undefined : new GroupKeeper(this.#child.pid, this.#log);
    this.#child.stdin.on('error', () => undefined);
    this.#ended = new Promise((resolve) => {
      this.#child.once('error', (error) =>
        resolve(`could not be started: ${explainStartFailure(options.command, error)}`),
      );
      this.#child.once('exit', (code, signal) => {
        resolve(signal === null ? `exited with code ${code}` : `was ended by ${signal}`);
      });
    });
    void this.#ended.then(() => rmSync(this.#socketDirectory, { recursive: true, force: true }));
    this.#isSilent = new Promise((resolve) => this.#child.stderr.once('close', resolve));
    forEachLine(this.#child.stderr, (line) => {
      if (this.#lastLines.push(line.trim().slice(0, maxWords)) > keptLines) this.#lastLines.shift();
      this.#log.warn(line);
    });
  }

  /** Resolves with the words for its end. */
  get ended(): Promise<string> {
    return this.#ended;
  }

  /** True once `end` was called: its end is no news. */
  get isAsked(): boolean {
    return this.#isAsked;
  }

  /** Resident memory of the program in bytes; undefined where the system does not say. */
  memoryBytes(): number | undefined {
    try {
      const pages = readFileSync(`/proc/${this.#child.pid}/statm`, 'utf8').split(' ')[1];
      return Number(pages) * bytesPerPage;
    } catch {
      // Another system than Linux, or it has just ended.
      return undefined;
    }
  }

  /** Processor time of the program in milliseconds; undefined where the system does not say. */
  cpuMs(): number | undefined {
    let descriptor: number | undefined;
    try {
      descriptor = openSync(`/proc/${this.#child.pid}/stat`, 'r');
      return readProcessCpuMs(descriptor);
    } catch {
      return undefined;
    } finally {
      if (descriptor !== undefined) closeSync(descriptor);
    }
  }

  /** The server's address. Rejects with Error where the first line is none, does not come in time, or the program ends first. */
  address(timeoutMs: number): Promise<string> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () =>
          reject(
            new Error(
              `it did not say within ${timeoutMs} ms where it listens (the handshake line on standard output, flushed)`,
            ),
          ),
        timeoutMs,
      );
      void this.#endedWithWords().then((how) => reject(new Error(`it ${how}`)));
      let isFirst = true;
      forEachLine(this.#child.stdout, (line) => {
        if (!isFirst) {
          this.#log.info(line);
          return;
        }
        isFirst = false;
        clearTimeout(timer);
        try {
          resolve(parseHandshake(line));
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
    });
  }

  /** How it ended before it said where it listens, with the last line of its standard error. */
  async #endedWithWords(): Promise<string> {
    const how = await this.#ended;
    if (how.startsWith('could not')) return how;
    await Promise.race([this.#isSilent, new Promise((resolve) => setTimeout(resolve, lastWordsWithinMs))]);
    const words = tellingLine(this.#lastLines);
    return `${how} before it said where it listens${words === undefined ? '' : `; its last words: ${words}`}`;
  }

  /** Closes its input and sends SIGTERM, then SIGKILL to its whole group after a second. Resolves when it has ended. */
  async end(): Promise<void> {
    this.#isAsked = true;
    this.#child.stdin.end();
    this.#signal('SIGTERM');
    const timer = setTimeout(() => this.#signal('SIGKILL'), endWithinMs);
    await this.#ended;
    clearTimeout(timer);
    // What it started and left behind.
    this.#signal('SIGKILL');
    this.#keeper?.release();
  }

  #signal(signal: NodeJS.Signals): void {
    const { pid } = this.#child;
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // The group is gone.
    }
  }
}

/** Calls back for each line; a longer one than `maxLineBytes` in pieces. */
function forEachLine(stream: Readable, listener: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8');
  stream.on('error', () => undefined);
  stream.on('data', (chunk: string) => {
    rest += chunk;
    const lines = rest.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') listener(line.slice(0, maxLineBytes));
    if (rest.length > Math.max(maxLineBytes, maxHandshakeBytes)) {
      listener(rest.slice(0, maxLineBytes));
      rest = '';
    }
  });
  stream.on('end', () => {
    if (rest.trim() !== '') listener(rest.slice(0, maxLineBytes));
  });
}
