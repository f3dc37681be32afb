/** A folder outside the repository, with the command line in it. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { processEnvironment } from '@bifrost/framework/workbench';
import { runCli } from '../run-cli.ts';

export interface CommandResult {
  readonly exitCode: number;
  /** Standard output and standard error. */
  readonly out: string;
  readonly err: string;
}

export class Workshop implements Disposable {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), 'bifrost-cli-')));

  readonly #environment: Readonly<Record<string, string>>;

  /** `environment` comes on top of a small one. */
  constructor(environment: Readonly<Record<string, string>> = {}) {
    this.#environment = environment;
  }

  /** Runs `bifrost ...args` in the folder. */
  async run(...args: readonly string[]): Promise<CommandResult> {
    const [out, err]: [string[], string[]] = [[], []];
    const exitCode = await runCli(args, {
      directory: this.folder,
      environment: {
        PATH: `/usr/bin:/bin:${processEnvironment()['PATH']}`,
        HOME: this.folder,
        SOURCE_DATE_EPOCH: '1760000000',
        ...this.#environment,
      },
      print: (line) => out.push(line),
      complain: (line) => err.push(line),
    });
    return { exitCode, out: out.join('\n'), err: err.join('\n') };
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), text);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
