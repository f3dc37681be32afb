import { STATUS_CODES } from 'node:http';

type Headers = Readonly<Record<string, string | readonly string[]>>;

const illegalName = /[^\w!#$%&'*+.^`|~-]/;
/** What may not stand in a value (RFC 9110 section 5.5): it would end the line, or be read otherwise elsewhere. */
const illegalValue = /[^\t\x20-\x7e\x80-\xff]/;

/** Names that were found to be good: they come from our own code, from providers and from plugins, and are few. */
const goodNames = new Set<string>();
const maxGoodNames = 500;

function assertName(name: string): void {
  if (goodNames.has(name)) return;
  if (name === '' || illegalName.test(name)) throw new TypeError(`${JSON.stringify(name)} is no name of a header`);
  if (goodNames.size < maxGoodNames) goodNames.add(name);
}

function headerLine(name: string, value: string): string {
  if (illegalValue.test(value))
    throw new TypeError(`the value of the header ${name} has a character that none may have`);
  return `${name}: ${value}\r\n`;
}

let dateLine = '';
let dateSecond = 0;

/** The Date header, made once a second. */
function currentDateLine(): string {
  const second = Math.floor(Date.now() / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateLine = `date: ${new Date(second * 1000).toUTCString()}\r\n`;
  }
  return dateLine;
}

/**
 * The head of an answer in HTTP/1.1, in characters of one byte each. Throws TypeError where a name or a value could be read as more
 * than one header.
 *
 * `connection` is the lines that say how the connection goes on, each with its CRLF.
 */
export function formatAnswerHead(statusCode: number, headers: Headers, connection: string): string {
  let head = `HTTP/1.1 ${statusCode} ${STATUS_CODES[statusCode] ?? 'Unknown'}\r\n`;
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined) continue;
    assertName(name);
    if (typeof value === 'string') head += headerLine(name, value);
    else for (const one of value) head += headerLine(name, one);
  }
  return `${head}${currentDateLine()}${connection}\r\n`;
}
