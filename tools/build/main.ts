/** `make build`: variables in, `tmp/bifrost-http` out. */
import { relative, resolve } from 'node:path';
import { buildExecutable } from './build-executable.ts';
import { explainDocker, parseBuildTarget, readBuildHost, targetName } from './build-target.ts';
import type { BuildTarget } from './build-target.ts';
import { buildInDocker } from './docker-build.ts';
import { repository } from './repository.ts';
import { readSourceFacts } from './source-facts.ts';

const linking = (target: BuildTarget): string =>
  target.kind === 'portable' ? 'portable' : `dynamically linked${target.libc === undefined ? '' : ` (${target.libc})`}`;

async function main(variables: Readonly<Record<string, string | undefined>>): Promise<void> {
  const host = readBuildHost();
  const target = parseBuildTarget(variables, host);
  const version = variables['VERSION']?.replace(/^v/, '') || undefined;
  const source = readSourceFacts(variables);
  const reason = explainDocker(target, host);
  const given = version === undefined ? {} : { version };
  if (reason !== undefined) {
    const { commit } = source;
    const epoch = variables['SOURCE_DATE_EPOCH'];
    const facts = { ...(commit === undefined ? {} : { commit }), ...(epoch === undefined ? {} : { epoch }) };
    buildInDocker({ target, reason, ...given, ...facts }, (line) => console.log(line));
    return;
  }
  const name = target.platform === 'win' ? 'bifrost-http.exe' : 'bifrost-http';
  const output = resolve(repository, variables['OUTPUT'] || `tmp/${name}`);
  const startedAt = performance.now();
  const result = await buildExecutable({ target, host, source, output, ...given });
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(
    `${relative(process.cwd(), result.output)}: bifrost-http ${result.version}, ${targetName(target)}, ${linking(target)}, ` +
      `${(result.bytes / 1e6).toFixed(1)} MB, in ${seconds} s`,
  );
}

try {
  await main(process.env);
} catch (error) {
  console.error(`build: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
