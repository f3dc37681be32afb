/**
 * Renders JSON as no serialiser would: random white space, `\u` escapes in keys and strings, `1.0`, repeated keys (of which the
 * last one counts). `random` yields numbers in [0, 1).
 */
export function renderOddly(value: unknown, random: () => number): string {
  const space = (): string => ['', '', ' ', '\n', '\t\r\n '][Math.floor(random() * 5)] as string;
  const escape = (text: string): string =>
    Array.from({ length: text.length }, (_, at) => `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`).join('');
  const string = (text: string): string => (random() < 0.3 ? `"${escape(text)}"` : JSON.stringify(text));
  const render = (one: unknown): string => {
    if (typeof one === 'string') return string(one);
    if (Array.isArray(one)) return `[${space()}${one.map(render).join(`${space()},${space()}`)}${space()}]`;
    if (typeof one === 'object' && one !== null) {
      const members = Object.entries(one).flatMap(([key, member]) => {
        const text = `${string(key)}${space()}:${space()}${render(member)}`;
        return random() < 0.2 ? [`${string(key)}:${render('earlier')}`, text] : [text];
      });
      return `{${space()}${members.join(`${space()},${space()}`)}${space()}}`;
    }
    if (typeof one === 'number' && Number.isSafeInteger(one) && random() < 0.3) return `${one}.0`;
    return JSON.stringify(one);
  };
  return `${space()}${render(value)}${space()}`;
}
