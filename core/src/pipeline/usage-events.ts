const blankLine = /\r\n\r\n|\n\n|\r\r/g;
const usage = /"usage"\s*:\s*\{/;
const noChoices = /"choices"\s*:\s*\[\s*\]/;

/** The usage chunk that `stream_options.include_usage` adds: a report and no choices. */
export function isUsageEvent(text: string): boolean {
  return usage.test(text) && noChoices.test(text);
}

/** The bytes of whole chat-stream events without the usage chunk, for a client that did not ask for it. */
export function withoutUsageEvents(bytes: Buffer): Buffer {
  const text = bytes.toString('latin1', 0, bytes.length);
  const kept: Buffer[] = [];
  let start = 0;
  blankLine.lastIndex = 0;
  for (let match = blankLine.exec(text); ; match = blankLine.exec(text)) {
    const end = match === null ? text.length : match.index + match[0].length;
    if (end > start && !isUsageEvent(text.slice(start, end))) kept.push(bytes.subarray(start, end));
    start = end;
    if (match === null) return Buffer.concat(kept);
  }
}
