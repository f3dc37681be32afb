/** Header names and values as they are sent, checked. */
export interface PreparedHeaders {
  /** `name: value` lines, each with its line end; `host` and what is said of the connection are not among them. */
  readonly text: string;
  /** The operator's own `host`, which takes the place of the origin's. */
  readonly host: string | undefined;
  /** The connection is not to be used again. */
  readonly isClosing: boolean;
}

/** Names that say how the body is framed or what becomes of the connection: the client of HTTP decides that, not a list of headers. */
const framingNames = new Set(['content-length', 'transfer-encoding', 'keep-alive', 'upgrade', 'expect']);
const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const invalidValuePattern = /[^\t\x20-\x7e\x80-\xff]/;

/** The headers of a call, names and values in turn. Checked and written out once, however many calls share them. */
export class RequestHeaders {
  readonly list: readonly string[];
  #prepared: PreparedHeaders | undefined;

  constructor(list: readonly string[]) {
    this.list = list;
  }

  /** Throws TypeError where a name or a value cannot be sent. */
  prepare(): PreparedHeaders {
    this.#prepared ??= prepareHeaders(this.list);
    return this.#prepared;
  }
}

function prepareHeaders(list: readonly string[]): PreparedHeaders {
  let text = '';
  let host: string | undefined;
  let isClosing = false;
  for (let index = 0; index < list.length; index += 2) {
    const name = list[index] as string;
    const value = list[index + 1] as string;
    const lowerName = name.toLowerCase();
    if (!tokenPattern.test(name)) throw new TypeError('the name of a header is no token');
    if (framingNames.has(lowerName)) throw new TypeError(`the header ${lowerName} cannot be set`);
    if (invalidValuePattern.test(value))
      throw new TypeError(`the header ${lowerName} has a character that it cannot carry`);
    if (lowerName === 'host') {
      if (host !== undefined) throw new TypeError('the header host is there twice');
      host = value;
    } else if (lowerName === 'connection') {
      isClosing ||= /(?:^|,)[\t ]*close[\t ]*(?:,|$)/i.test(value);
    } else text += `${name}: ${value}\r\n`;
  }
  return { text, host, isClosing };
}
