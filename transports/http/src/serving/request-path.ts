/** A request target taken apart. */
export interface RequestTarget {
  /** Decoded once; no `.` or `..` segment, no control character, no backslash. */
  readonly path: string;
  /** Without `?`; as it came. */
  readonly query: string;
  /** Host and port of an absolute target: it holds, whatever the Host header says. */
  readonly authority?: string;
}

export type TargetResult = RequestTarget | { readonly error: string };

const plainPath = /^[\w\-~:@!$&'()*+,;=/.]+$/;

function hasControlCharacter(text: string): boolean {
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

/**
 * Decodes and checks a request target, once, before anything is decided by it: what routing and authorisation see is what
 * the handlers see. Dot segments are refused, never resolved: no client of an API needs them.
 */
export function parseRequestTarget(url: string): TargetResult {
  let target = url;
  let authority: { readonly authority?: string } = {};
  if (!target.startsWith('/')) {
    // Absolute form, as a client sends it to a proxy.
    const absolute = /^https?:\/\/([^/?#]*)/i.exec(target);
    if (absolute === null) return { error: 'the request target must be a path that begins with /' };
    target = target.slice(absolute[0].length);
    authority = { authority: absolute[1] ?? '' };
    if (!target.startsWith('/')) target = `/${target}`;
  }
  const mark = target.indexOf('?');
  const rawPath = mark === -1 ? target : target.slice(0, mark);
  const query = mark === -1 ? '' : target.slice(mark + 1);
  if (plainPath.test(rawPath) && !rawPath.includes('/.')) {
    return { path: rawPath, query, ...authority };
  }
  let path: string;
  try {
    path = decodeURIComponent(rawPath);
  } catch {
    // Not UTF-8 or a stray %: the caller is told, nothing is guessed.
    return { error: 'the path has an invalid percent encoding' };
  }
  if (hasControlCharacter(path)) return { error: 'the path has a control character' };
  if (path.includes('\\')) return { error: 'the path has a backslash' };
  if (/(^|\/)\.{1,2}(\/|$)/.test(path)) return { error: 'the path has a "." or ".." segment' };
  return { path, query, ...authority };
}

/** The target as a router may decode it again without harm: one decoding gives back the same path. */
export function formatRequestTarget({ path, query }: RequestTarget): string {
  const encoded = encodeURI(path).replaceAll(/[?#]/g, encodeURIComponent);
  return query === '' ? encoded : `${encoded}?${query}`;
}
