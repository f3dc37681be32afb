/** Cuts what a guest prints into log lines; a line without an end waits for it, up to a bound. */

const maxLine = 8192;

export function logLines(log: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') log(line.slice(0, maxLine));
    if (rest.length <= maxLine) return;
    log(rest.slice(0, maxLine));
    rest = '';
  };
}
