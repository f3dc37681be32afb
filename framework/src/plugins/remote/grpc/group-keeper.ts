/**
 * Ends a group of processes when the gateway is gone, however it went: also where it was killed and could end nobody, and where the program
 * hangs and does not notice. A shell of about a megabyte waits on a pipe that only the gateway holds open. In a container without a shell
 * the gateway is the first process, with which the kernel ends all others.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { Socket } from 'node:net';
import type { PluginLog } from '@bifrost/sdk';

const shell = '/bin/sh';
/** `read` ends where the pipe does. */
const script = 'read -r line; kill -s KILL -- "-$1"';

export class GroupKeeper {
  readonly #child: ChildProcess | undefined;

  /** `group`: number of the group, which is that of its first process. */
  constructor(group: number, log: PluginLog) {
    if (!existsSync(shell)) return;
    const child = spawn(shell, ['-c', script, 'bifrost-group-keeper', String(group)], {
      stdio: ['pipe', 'ignore', 'ignore'],
      env: {},
      cwd: '/',
      // Out of the gateway's group: who kills that one leaves this to do its work.
      detached: true,
    });
    child.on('error', (error) =>
      log.warn(`what ends the program when the gateway is killed could not be started: ${error.message}`),
    );
    child.stdin.on('error', () => undefined);
    // Neither keeps the gateway from ending.
    if (child.stdin instanceof Socket) child.stdin.unref();
    child.unref();
    this.#child = child;
  }

  /** The group has ended: its number may be another's from now on. */
  release(): void {
    this.#child?.kill('SIGKILL');
  }
}
