/**
 * Runs a script as `node SCRIPT ARGUMENTS` would, for the executable: it is a Node, but one that takes no script. What the script
 * imports comes from disk.
 */
import { pathToFileURL } from 'node:url';

const [, , script = ''] = process.argv;
process.argv.splice(1, 2, script);
await import(pathToFileURL(script).href);
