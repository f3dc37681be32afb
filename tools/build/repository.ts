import { resolve } from 'node:path';

/** Root folder of the repository. */
export const repository: string = resolve(import.meta.dirname, '../..');
