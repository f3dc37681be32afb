/** Why a program could not be started, said so that its author knows what to do. */
import { existsSync, readFileSync } from 'node:fs';

/** The interpreter that a script names in its first line. */
function interpreterOf(file: string): string | undefined {
  try {
    return /^#!\s*(\S+)/.exec(readFileSync(file, 'latin1').slice(0, 256))?.[1];
  } catch {
    // Not there, or not readable: then that is what is wrong.
    return undefined;
  }
}

/** What the system's error of starting `command` comes from. */
export function explainStartFailure(command: string, error: Error): string {
  const code = 'code' in error ? error.code : undefined;
  if (code === 'EACCES') return `it may not be executed: chmod +x ${command}`;
  if (code !== 'ENOENT') return error.message;
  const interpreter = interpreterOf(command);
  if (interpreter !== undefined && !existsSync(interpreter)) {
    return `its first line names ${JSON.stringify(interpreter).slice(1, -1)}, which is not there`;
  }
  return existsSync(command) ? error.message : `there is no program ${command}`;
}

/** Of what a program wrote before it ended, the line that says why: runtimes write it before a stack (Node) or after one (Python). */
export function tellingLine(lines: readonly string[]): string | undefined {
  return lines.findLast((line) => /^[\w.]*(?:Error|Exception)\b.*:|No such file|not found/.test(line)) ?? lines.at(-1);
}
