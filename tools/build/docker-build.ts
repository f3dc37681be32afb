import { spawnSync } from 'node:child_process';
import type { BuildTarget } from './build-target.ts';
import { repository } from './repository.ts';

export interface DockerBuild {
  readonly target: BuildTarget;
  /** Why this machine does not build it by itself. */
  readonly reason: string;
  readonly version?: string;
  readonly commit?: string;
  readonly epoch?: string;
}

/** The command that builds the target in a container and puts the executable into `tmp/`. */
export function dockerCommand({ target, version, commit, epoch }: Omit<DockerBuild, 'reason'>): readonly string[] {
  const platform = `linux/${target.architecture === 'x64' ? 'amd64' : 'arm64'}`;
  const file = target.libc === 'musl' ? 'transports/Dockerfile' : 'transports/Dockerfile.debian';
  const values = { VERSION: version, COMMIT: commit, SOURCE_DATE_EPOCH: epoch };
  const given = Object.entries(values).filter(([, value]) => value !== undefined && value !== '');
  const dynamic = ['--build-arg', `DYNAMIC=${target.kind === 'dynamic' ? 1 : ''}`];
  const args = [...given.flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]), ...dynamic];
  return [
    'docker',
    'build',
    '--platform',
    platform,
    '-f',
    file,
    '--target',
    'executable',
    ...args,
    '--output',
    'tmp',
    '.',
  ];
}

/** Builds in Docker, with one line that says so. Throws where there is no Docker. */
export function buildInDocker(build: DockerBuild, say: (line: string) => void): void {
  const [command = '', ...args] = dockerCommand(build);
  say(`building in Docker, as ${build.reason}: ${[command, ...args].join(' ')}`);
  const { error, status } = spawnSync(command, args, { cwd: repository, stdio: 'inherit' });
  if (error !== undefined) throw new Error(`${build.reason}, and Docker cannot be run here (${error.message})`);
  if (status !== 0) throw new Error(`Docker ended with code ${status}`);
}
