/** A folder in which the documentation's commands can be typed: `tmp/bifrost-http` and the examples are where it says. */
import { spawn, spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository } from '../../build/repository.ts';

/** What the commands read, beside the executable. */
const copied = [
  'examples/plugins/hello-world',
  'examples/plugins/native-c',
  'examples/embedding',
  'sdk/native',
  'package.json',
  'package-lock.json',
  'sdk/package.json',
  'core/package.json',
  'framework/package.json',
  'transports/http/package.json',
];

export class Checkout implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'bifrost-checkout-'));
  readonly environment = {
    PATH: `${join(repository, 'node_modules/.bin')}:${process.env['PATH'] ?? ''}`,
    HOME: this.folder,
    APP_PORT: '0',
    LOG_STYLE: 'pretty',
    NO_COLOR: '1',
  };

  /** With the executable at `executable` and what lies beside it. */
  constructor(executable: string) {
    mkdirSync(join(this.folder, 'tmp'));
    for (const path of copied) cpSync(join(repository, path), join(this.folder, path), { recursive: true });
    symlinkSync(join(repository, 'node_modules'), join(this.folder, 'node_modules'));
    for (const file of ['bifrost-http', 'bifrost-http.cdx.json']) {
      symlinkSync(executable.replace(/bifrost-http$/, file), join(this.folder, 'tmp', file));
    }
    copyFileSync(executable.replace(/bifrost-http$/, 'SHA256SUMS'), join(this.folder, 'tmp/SHA256SUMS'));
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Types a command; returns everything that it printed. */
  type(command: string, environment: Readonly<Record<string, string>> = {}): string {
    const { stdout, stderr } = spawnSync('bash', ['-c', command], {
      cwd: this.folder,
      encoding: 'utf8',
      env: { ...this.environment, ...environment },
    });
    return stdout + stderr;
  }

  /** Types a command that goes on; resolves with its output as soon as that has the pattern and `then` is done. */
  typeUntil(command: string, pattern: RegExp, then?: (output: string) => Promise<void>): Promise<string> {
    const child = spawn('bash', ['-c', `exec ${command}`], { cwd: this.folder, env: this.environment });
    let output = '';
    let done: Promise<unknown> | undefined;
    return new Promise((resolve, reject) => {
      const read = (chunk: Buffer): void => {
        output += chunk.toString();
        if (!pattern.test(output) || done !== undefined) return;
        done = (then?.(output) ?? Promise.resolve()).catch(reject).finally(() => child.kill('SIGTERM'));
      };
      child.stdout.on('data', read);
      child.stderr.on('data', read);
      child.once('error', reject);
      child.once('close', () => (done === undefined ? reject(new Error(output)) : resolve(output)));
    });
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }
}

const pages = [
  'BUILD.md',
  'docs/deployment/README.md',
  'docs/deployment/troubleshooting.md',
  'docs/deployment/docker.md',
];

/** The lines that the pages of building and deploying show to be typed. */
export function documentedCommands(): readonly string[] {
  const blocks = pages.flatMap((page) => [
    ...readFileSync(join(repository, page), 'utf8').matchAll(/^```sh\n([\s\S]*?)^```/gm),
  ]);
  const text = blocks.map(([, lines = '']) => lines.replaceAll(/\\\n\s*/g, '')).join('\n');
  const lines = text.split('\n').map((line) => line.replace(/\s+#.*$/, '').trim());
  return lines.filter((line) => line !== '' && !line.startsWith('#'));
}
