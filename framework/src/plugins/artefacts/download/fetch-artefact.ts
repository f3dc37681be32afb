/**
 * Fetches an artefact over https. Its host is named by configuration or by a caller of the admin API, so nothing is taken for
 * granted: each hop's name is resolved once, every address it has is judged, and the connection goes to one that was judged.
 */
import { lookup } from 'node:dns/promises';
import { request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import { rootCertificates } from 'node:tls';
import { isPublicAddress, refusedRange } from '@bifrost/core';
import { PluginError } from '@bifrost/sdk';

export interface DownloadOptions {
  /** Hosts of the operator's own network that may be called although their addresses are private or loopback. @default none */
  readonly privateHosts?: readonly string[];
  /** A certificate authority beside the well-known ones, as PEM. */
  readonly certificateAuthority?: string;
  /** @default 64 MiB */
  readonly maxBytes?: number;
  /** For the whole download. @default 120000 */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** Resolves a host to all its addresses. @default the system's resolver */
  readonly resolveHost?: (host: string) => Promise<readonly string[]>;
}

const defaultMaxBytes = 64 * 1024 * 1024;
const maxRedirects = 5;

interface Fetch {
  readonly plugin: string;
  readonly options: DownloadOptions;
  readonly signal: AbortSignal;
}

/** A URL as messages show it: its query may hold a token. */
export function shownUrl(url: URL): string {
  return `${url.protocol}//${url.host}${url.pathname}`;
}

function refused(plugin: string, message: string): PluginError {
  return new PluginError(plugin, message, { code: 'BF_PLUGIN_DOWNLOAD_REFUSED' });
}

function failed(plugin: string, message: string, cause?: unknown): PluginError {
  return new PluginError(plugin, message, { code: 'BF_PLUGIN_DOWNLOAD_FAILED', cause });
}

/** The URL of one hop. Throws PluginError for one that is not fetched whatever it leads to. */
export function parseDownloadUrl(plugin: string, text: string, base?: URL): URL {
  if (!URL.canParse(text, base)) throw refused(plugin, `"${text.split('?')[0]}" is not a URL`);
  const url = new URL(text, base);
  if (url.protocol !== 'https:') {
    const from = base === undefined ? '' : ` (redirected from ${shownUrl(base)})`;
    throw refused(
      plugin,
      `${shownUrl(url)} is not fetched${from}: plugins come over https only, as anyone on the way could change them`,
    );
  }
  if (url.username !== '' || url.password !== '') {
    throw refused(
      plugin,
      `${shownUrl(url)} has a user or password in it, which would be shown and logged: leave it out`,
    );
  }
  return url;
}

async function systemAddresses(host: string): Promise<readonly string[]> {
  return (await lookup(host, { all: true })).map(({ address }) => address);
}

/** The addresses of a host, all of them fit to be called. Rejects with PluginError. */
async function judgedAddresses(url: URL, { plugin, options }: Fetch): Promise<readonly string[]> {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  let addresses: readonly string[];
  try {
    addresses = isIP(host) === 0 ? await (options.resolveHost ?? systemAddresses)(host) : [host];
  } catch (error) {
    const why = error instanceof Error && 'code' in error ? String(error.code) : 'it failed';
    throw failed(
      plugin,
      `the host ${host} was not found (${why}): check the name in \`path\`, and that this machine resolves it`,
      error,
    );
  }
  if (addresses.length === 0) throw failed(plugin, `the host ${host} has no address: check the name in \`path\``);
  const isPrivateHost = (options.privateHosts ?? []).includes(host);
  // Link-local addresses are where clouds keep credentials: no rule opens them.
  const bad = addresses.find((address) =>
    isPrivateHost ? refusedRange(address, true) !== undefined : !isPublicAddress(address),
  );
  if (bad === undefined) return addresses;
  throw refused(
    plugin,
    `the host ${host} leads to ${bad}, which is not a public address: if it is a server of yours, ` +
      `add "${host}" to \`plugin_trust.private_hosts\`, or copy the file to this machine`,
  );
}

/** Answers with what was judged, whatever is asked for: the name is not resolved a second time. */
function pinnedLookup(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, options, callback) => {
    const [first] = all;
    if (options.all === true || first === undefined) callback(null, all);
    else callback(null, first.address, first.family);
  };
}

function connect(url: URL, addresses: readonly string[], { plugin, options, signal }: Fetch): Promise<IncomingMessage> {
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const { certificateAuthority } = options;
  const call = request(url, {
    // No pool: a pooled socket could have been opened for other addresses.
    agent: false,
    signal,
    lookup: pinnedLookup(addresses),
    headers: { accept: '*/*', 'accept-encoding': 'identity', 'user-agent': 'bifrost' },
    ...(certificateAuthority === undefined ? {} : { ca: [...rootCertificates, certificateAuthority] }),
  });
  call.once('response', resolve);
  call.once('error', (error) => {
    reject(
      signal.aborted
        ? timedOut(url, plugin, options, signal)
        : failed(plugin, `${shownUrl(url)} was not reached: ${reasonOf(error)}`, error),
    );
  });
  call.end();
  return promise;
}

function reasonOf(error: Error): string {
  const code = 'code' in error ? String(error.code) : '';
  return error.message === '' ? code : error.message;
}

function timedOut(url: URL, plugin: string, options: DownloadOptions, signal: AbortSignal): PluginError {
  const isOurs = options.signal?.aborted !== true;
  const why = isOurs ? `did not end within ${(options.timeoutMs ?? 120_000) / 1000} s` : 'was given up';
  return failed(plugin, `the download of ${shownUrl(url)} ${why}`, signal.reason);
}

async function readBody(response: IncomingMessage, url: URL, { plugin, options, signal }: Fetch): Promise<Buffer> {
  const maxBytes = options.maxBytes ?? defaultMaxBytes;
  const tooLarge = (): PluginError =>
    new PluginError(plugin, `${shownUrl(url)} is larger than ${maxBytes} bytes, the most that is downloaded`, {
      code: 'BF_PLUGIN_ARTEFACT_TOO_LARGE',
    });
  const stated = Number(response.headers['content-length'] ?? 0);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    if (stated > maxBytes) throw tooLarge();
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge();
      chunks.push(chunk);
    }
  } catch (error) {
    response.destroy();
    if (error instanceof PluginError) throw error;
    if (signal.aborted) throw timedOut(url, plugin, options, signal);
    throw failed(plugin, `the download of ${shownUrl(url)} broke off after ${size} bytes`, error);
  }
  return Buffer.concat(chunks, size);
}

/** Downloads `url`. Rejects with PluginError; nothing is stored here, and no digest compared. */
export async function fetchArtefact(plugin: string, url: URL, options: DownloadOptions): Promise<Buffer> {
  const deadline = AbortSignal.timeout(options.timeoutMs ?? 120_000);
  const signal = options.signal === undefined ? deadline : AbortSignal.any([deadline, options.signal]);
  const fetch: Fetch = { plugin, options, signal };
  let at = url;
  for (let hop = 0; hop <= maxRedirects; hop++) {
    const response = await connect(at, await judgedAddresses(at, fetch), fetch);
    const { statusCode = 0, headers } = response;
    if (statusCode === 200) return readBody(response, at, fetch);
    response.destroy();
    const isRedirect = [301, 302, 303, 307, 308].includes(statusCode);
    if (!isRedirect || headers.location === undefined) {
      throw failed(plugin, `${shownUrl(at)} answered ${statusCode}, expected 200: check \`path\``);
    }
    at = parseDownloadUrl(plugin, headers.location, at);
  }
  throw refused(plugin, `${shownUrl(url)} was redirected more than ${maxRedirects} times`);
}
