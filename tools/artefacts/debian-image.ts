import { execFile, execFileSync } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { repository } from '../build/repository.ts';
import { artefact } from './artefact-store.ts';
import { explainNoChroot } from './chroot.ts';
import { testedVersion } from './executables.ts';

const run = promisify(execFile);
/** The user's certificates, where an installation has its own. */
const certificates = '/etc/ssl/certs/ca-certificates.crt';
const image = 'localhost/bifrost:dynamic-debian';

/** debootstrap makes device files, which some containers forbid. */
function explainNoDevices(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'bifrost-device-'));
  try {
    execFileSync('mknod', [join(folder, 'null'), 'c', '1', '3'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'device files cannot be made here';
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Why the image cannot be built here; undefined where it can. */
export function explainNoBuildah(): string | undefined {
  const missing = ['/usr/bin/buildah', '/usr/sbin/debootstrap'].filter((path) => !existsSync(path));
  if (missing.length > 0) return `not installed: ${missing.join(', ')}`;
  return explainNoChroot() ?? explainNoDevices();
}

/** A container made of the image. */
export interface ImageContainer extends AsyncDisposable {
  /** The command that runs `command` in it as its user, with its environment. */
  command(command: readonly string[]): readonly string[];
  /** Its files. */
  readonly path: string;
  /** What the image declares. */
  readonly config: {
    readonly Env: readonly string[];
    readonly User: string;
    readonly Entrypoint: readonly string[];
    readonly Cmd: readonly string[];
    readonly ExposedPorts: Readonly<Record<string, object>>;
    readonly Volumes: Readonly<Record<string, object>>;
    readonly Healthcheck?: { readonly Test: readonly string[] };
  };
}

/** Layers as the kernel can; whole copies (`vfs`), which are slow, where it cannot. */
function storageDriver(): string {
  return /\boverlay$/m.test(readFileSync('/proc/filesystems', 'utf8')) ? 'overlay' : 'vfs';
}

/** buildah with storage of its own; the isolation `chroot` needs nothing of the kernel. */
class Buildah {
  readonly #options: readonly string[];

  constructor(storage: string) {
    this.#options = [
      '--storage-driver',
      storageDriver(),
      '--root',
      join(storage, 'root'),
      '--runroot',
      join(storage, 'run'),
    ];
  }

  command(args: readonly string[]): readonly string[] {
    return ['buildah', ...this.#options, ...args];
  }

  async run(...args: readonly string[]): Promise<string> {
    const [file = '', ...rest] = this.command(args);
    const { stdout } = await run(file, rest, { cwd: repository, maxBuffer: 64 * 1024 * 1024 });
    return stdout.trim();
  }

  /** Makes an image from a base and files, `[from, to]`. */
  async imageOf(name: string, base: string, files: readonly (readonly [string, string])[]): Promise<void> {
    const container = await this.run('from', base);
    for (const [from, to] of files) await this.run('add', '-q', container, from, to);
    await this.run('commit', '-q', container, name);
    await this.run('rm', container);
  }
}

/** A minimal Debian from its archive, once for all sources. */
async function debianRoot(): Promise<string> {
  const folder = join(repository, 'tmp/debian-bookworm');
  if (existsSync(folder)) return folder;
  const loading = `${folder}.${process.pid}`;
  mkdirSync(dirname(folder), { recursive: true });
  await run('/usr/sbin/debootstrap', ['--variant=minbase', 'bookworm', loading, 'http://deb.debian.org/debian'], {
    maxBuffer: 64 * 1024 * 1024,
  });
  rmSync(join(loading, 'var/cache/apt/archives'), { recursive: true, force: true });
  renameSync(loading, folder);
  return folder;
}

/** npm of this machine: its own folder, which needs nothing else. */
async function npmFolder(): Promise<string> {
  const { stdout } = await run('sh', ['-c', 'readlink -f "$(command -v npm)"']);
  return join(stdout.trim(), '../..');
}

/** Stands for the official images, which are made of the same parts: Debian, Node, npm. */
async function makeBaseImages(buildah: Buildah): Promise<void> {
  const debian = 'docker.io/library/debian:bookworm-slim';
  await buildah.imageOf(debian, 'scratch', [[await debianRoot(), '/']]);
  await buildah.imageOf('docker.io/library/node:26.10.0-bookworm-slim', debian, [
    [process.execPath, '/usr/local/bin/node'],
    [await npmFolder(), '/usr/local/lib/node_modules/npm'],
    [join(import.meta.dirname, '__tests__/npm.sh'), '/usr/local/bin/npm'],
  ]);
}

async function buildImage(storage: string): Promise<void> {
  const buildah = new Buildah(storage);
  await makeBaseImages(buildah);
  const host = join(storage, 'host');
  mkdirSync(host);
  if (existsSync(certificates)) copyFileSync(certificates, join(host, 'certificates.crt'));
  const { stdout: registry } = await run('npm', ['config', 'get', 'registry']);
  const hasCertificates = existsSync(certificates);
  writeFileSync(
    join(host, 'npmrc'),
    `registry=${registry.trim()}\n${hasCertificates ? 'cafile=/run/host/certificates.crt\n' : ''}`,
  );
  const volumes = ['--volume', `${host}:/run/host:ro`, '--volume', `${join(host, 'npmrc')}:/root/.npmrc:ro`];
  const facts = { VERSION: testedVersion, COMMIT: '0123456789ab', SOURCE_DATE_EPOCH: '1767323045' };
  const args = Object.entries(facts).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
  const file = ['-f', 'transports/Dockerfile.debian', '-t', image, '--format', 'docker'];
  await buildah.run('build', '--isolation', 'chroot', '--pull-never', ...volumes, ...file, ...args, '.');
}

/** A container of the image that `transports/Dockerfile.debian` makes of the present sources. */
export async function debianContainer(): Promise<ImageContainer> {
  const storage = await artefact('debian-image', buildImage);
  const buildah = new Buildah(storage);
  const container = await buildah.run('from', '--pull-never', image);
  const inspected = JSON.parse(await buildah.run('inspect', '--type', 'image', image)) as {
    readonly Docker: { readonly config: ImageContainer['config'] };
  };
  return {
    config: inspected.Docker.config,
    command: (command) => buildah.command(['run', '--isolation', 'chroot', container, '--', ...command]),
    path: await buildah.run('mount', container),
    async [Symbol.asyncDispose]() {
      await buildah.run('umount', container);
      await buildah.run('rm', container);
    },
  };
}
