/** `make run`: writes the program's bundle to `tmp/bundle/`. */
import { join } from 'node:path';
import { bundleProgram } from './bundle-program.ts';
import { repository } from './repository.ts';
import { readSourceFacts } from './source-facts.ts';
import { writeBundle } from './write-bundle.ts';

const stamp = { kind: 'bundle', ...readSourceFacts(process.env) } as const;
writeBundle(join(repository, 'tmp/bundle'), await bundleProgram(stamp));
