import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { debianContainer, explainNoBuildah } from './debian-image.ts';
import type { ImageContainer } from './debian-image.ts';
import { testedVersion } from './executables.ts';
import { complete, runGateway } from './run-gateway.ts';

const run = promisify(execFile);
const reason = explainNoBuildah();
const withBuild = 600_000;

describe.skipIf(reason !== undefined)(`the image of transports/Dockerfile.debian ${reason ?? ''}`, () => {
  let container: ImageContainer;
  beforeAll(async () => {
    container = await debianContainer();
  }, withBuild);
  afterAll(async () => {
    await container?.[Symbol.asyncDispose]();
  });

  /** Runs a short command in the container's files, as its user. */
  async function inside(command: readonly string[]): Promise<string> {
    const enter = ['--mount', 'sh', '-c', 'mount -t proc proc "$1/proc" && exec chroot --userspec=1000:0 "$@"', 'sh'];
    return (await run('unshare', [...enter, container.path, ...command])).stdout;
  }

  it('declares user, port, volume, environment, entrypoint and health check', () => {
    const { config } = container;
    expect(config).toMatchObject({
      User: '1000',
      Entrypoint: ['/app/docker-entrypoint.sh'],
      Cmd: ['/app/main'],
      ExposedPorts: { '8080/tcp': {} },
      Volumes: { '/app/data': {} },
    });
    expect(config.Env).toEqual(
      expect.arrayContaining([
        'APP_PORT=8080',
        'APP_HOST=0.0.0.0',
        'LOG_LEVEL=info',
        'LOG_STYLE=json',
        'APP_DIR=/app/data',
      ]),
    );
    expect(config.Healthcheck?.Test.join(' ')).toContain('http://127.0.0.1:${APP_PORT}/metrics');
  });

  it('has a program linked to its C library, which loads native plugins', async () => {
    expect(await inside(['ldd', '/app/main'])).toMatch(/libc\.so\.6 => \/lib\/\S+\/libc\.so\.6/);
    expect(JSON.parse(await inside(['/app/main', '-version', '-json']))).toMatchObject({
      version: testedVersion,
      build: 'dynamic',
      nativePlugins: true,
      libc: 'glibc 2.36',
    });
  });

  it('serves as its user through the entrypoint, with the plugin that was built in it', async () => {
    const config = JSON.stringify({
      plugins: [{ name: 'hello-world', path: '/app/plugins/hello-world.js', enabled: true }],
    });
    await inside(['sh', '-c', `echo '${config}' > /app/data/config.json`]);
    const command = container.command(['/app/docker-entrypoint.sh', '-host', '127.0.0.1']);
    const environment = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' };
    await using gateway = await runGateway(command, { environment });
    await gateway.until(/Plugin loaded successfully: hello-world/);
    const { response } = await complete(gateway.url);
    expect(response.headers.get('x-hello-world')).toBe('Hello, World!');
    const status = await (await fetch(`${gateway.url}/health`)).json();
    expect(status).toMatchObject({ version: testedVersion });
  });
});
