import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { inheritedDescriptors } from '../__tests__/inherited-descriptors.ts';
import { Program } from '../__tests__/program.ts';
import { adoptListeningSocket } from '../supervisor/listening-socket.ts';
import { inheritedSocket, reportReady } from './hand-over.ts';

const directory = mkdtempSync(join(tmpdir(), 'bifrost-hand-over-'));
afterAll(() => rmSync(directory, { recursive: true }));
const main = fileURLToPath(new URL('../main.ts', import.meta.url));

describe('the inherited socket', () => {
  it.each([
    [{}, undefined],
    [{ BIFROST_LISTEN_FD: '3' }, 3],
    [{ BIFROST_LISTEN_FD: 'x' }, undefined],
    [{ LISTEN_FDS: '1', LISTEN_PID: '42' }, 3],
    [{ LISTEN_FDS: '1', LISTEN_PID: '43' }, undefined],
    [{ LISTEN_FDS: '0', LISTEN_PID: '42' }, undefined],
  ])('of %j is %j', (environment, expected) => expect(inheritedSocket(environment, 42)).toBe(expected));

  it('must be a listening TCP socket', () => {
    const none = openSync('/dev/null', 'r');
    const message = `file descriptor ${none}, which was handed over, is no listening TCP socket`;
    expect(() => adoptListeningSocket(none)).toThrow(message);
  });

  it('is of no interest to a process that nobody waits for', () => {
    expect(() => reportReady({ BIFROST_READY_FD: '9999' })).not.toThrow();
  });
});

describe('SIGUSR2', () => {
  it('starts a process that serves on the same port, and the first one ends', async () => {
    await using program = new Program(['-port', '0', '-threads', '1', '-app-dir', directory]);
    const url = await program.ready();
    // A plugin's process that held the socket could answer callers in the gateway's place, and would keep the port when the gateway has gone.
    const ours = inheritedDescriptors(process.pid);
    expect(inheritedDescriptors(program.child.pid ?? 0).filter((one) => !ours.includes(one))).toEqual([]);
    program.child.kill('SIGUSR2');
    const [, pid] = await program.until('stderr', /process (\d+) has taken over/);
    try {
      await once(program.child, 'exit');
      expect(program.child.exitCode).toBe(0);
      expect(inheritedDescriptors(Number(pid)).filter((one) => !ours.includes(one))).toEqual([]);
      expect((await fetch(`${url}/health`)).status).toBe(200);
      expect(program.stdout.match(/is ready on/g)).toHaveLength(2);
    } finally {
      process.kill(Number(pid), 'SIGTERM');
    }
  });

  it('leaves the process serving where the new one does not start, and can be tried again', async () => {
    const config = join(directory, 'config.json');
    writeFileSync(config, '{}');
    const flags = ['-port', '0', '-threads', '1', '-config', config, '-app-dir', directory];
    await using program = new Program(flags, { BIFROST_ADMIN_TOKEN: 'the-admin-token-of-the-tests' });
    const url = await program.ready();
    const enable = async (): Promise<unknown> => {
      const headers = {
        authorization: 'Bearer the-admin-token-of-the-tests',
        'content-type': 'application/json',
        connection: 'close',
      };
      const body = '{"name":"mocker","enabled":false}';
      const answer = await fetch(`${url}/api/plugins`, { method: 'POST', headers, body });
      const { error } = (await answer.json()) as { readonly error?: { readonly code: string } };
      return [answer.status, error?.code];
    };
    writeFileSync(config, '{ "providers": [] }');
    program.child.kill('SIGUSR2');
    await program.until('stderr', /not handed over, as the new process ended with code 2; this process goes on/);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    // While the new one started, which reads what is stored, nothing could be changed.
    await expect.poll(enable).toEqual([201, undefined]);
    writeFileSync(config, '{}');
    program.child.kill('SIGUSR2');
    const [, pid] = await program.until('stderr', /process (\d+) has taken over/);
    process.kill(Number(pid), 'SIGTERM');
  });
});

it('serves on a socket of systemd', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const { fd } = (server as unknown as { readonly _handle: { readonly fd: number } })._handle;
  const command = `export LISTEN_FDS=1 LISTEN_PID=$$; exec "${process.execPath}" "${main}" -threads 1 -app-dir "${directory}"`;
  const child = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', 'pipe', 'inherit', fd] });
  const exited = once(child, 'exit');
  server.close();
  try {
    const [chunk] = (await once(child.stdio[1] ?? child, 'data')) as [Buffer];
    expect(chunk.toString()).toContain(`is ready on http://localhost:${port} `);
    const { stdout } = await promisify(execFile)('curl', ['-s', `http://127.0.0.1:${port}/health`]);
    expect(JSON.parse(stdout)).toMatchObject({ status: 'ok' });
  } finally {
    child.kill('SIGTERM');
    await exited;
  }
});
