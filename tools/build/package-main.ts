/** `make package`: npm archives in `tmp/packages/`. */
import { join, relative } from 'node:path';
import { packageLibraries } from './package-libraries.ts';
import { repository } from './repository.ts';
import { readSourceFacts } from './source-facts.ts';

const version = process.env['VERSION']?.replace(/^v/, '');
const facts = { ...readSourceFacts(process.env), ...(version ? { version } : {}) };
for (const path of await packageLibraries(join(repository, 'tmp/packages'), facts)) {
  console.log(relative(process.cwd(), path));
}
