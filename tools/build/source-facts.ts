import { execFileSync } from 'node:child_process';
import { repository } from './repository.ts';

/** Where the sources stand. */
export interface SourceFacts {
  /** Shortened; with `+changes` where files differ from it. */
  readonly commit?: string;
  /** ISO 8601, UTC. The commit's time and not the build's, so that the same sources give the same bytes. */
  readonly buildTime?: string;
}

function git(...args: readonly string[]): string | undefined {
  try {
    return execFileSync('git', args, { cwd: repository, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    // No git, or no repository: an archive of the sources.
    return undefined;
  }
}

function toIso(seconds: string): string {
  return new Date(Number(seconds) * 1000).toISOString().replace('.000Z', 'Z');
}

/** From git, or from `COMMIT` and `SOURCE_DATE_EPOCH` where they are given (a build in a container has no repository). */
export function readSourceFacts(variables: Readonly<Record<string, string | undefined>>): SourceFacts {
  const { COMMIT = '', SOURCE_DATE_EPOCH = '' } = variables;
  const changes = git('status', '--porcelain', '--untracked-files=no') ? '+changes' : '';
  const hash = git('rev-parse', '--short=12', 'HEAD');
  const commit = COMMIT || (hash === undefined ? undefined : `${hash}${changes}`);
  const seconds = SOURCE_DATE_EPOCH || git('log', '-1', '--format=%ct');
  return {
    ...(commit === undefined ? {} : { commit }),
    ...(seconds === undefined ? {} : { buildTime: toIso(seconds) }),
  };
}
