/** Traces of the compiler in an ELF file: Go's build information, rustc's and the C compiler's comment. */
import { decodeText } from '../byte-view.ts';
import { sectionBytes, segmentTypes } from './elf-layout.ts';
import type { ElfLayout } from './elf-layout.ts';

export interface GoBuild {
  /** `go1.26.1`; undefined where the file does not say. */
  readonly version?: string;
  /** `-buildmode`: `c-shared`, `plugin`, `exe`, ... */
  readonly buildMode?: string;
}

export interface RustBuild {
  /** `1.63.0`; undefined where the file does not say. */
  readonly version?: string;
}

export interface ElfOrigin {
  readonly go?: GoBuild;
  readonly rust?: RustBuild;
  /** Lines of `.comment`: `GCC: (Debian 12.2.0-14) 12.2.0`. */
  readonly comments: readonly string[];
}

const magic = Buffer.from('\xff Go buildinf:', 'latin1');
/** Where the information is looked for when there are no sections: it stands at the begin of the first writable segment. */
const maxScanBytes = 1 << 20;

/** Format of Go 1.18 and later (debug/buildinfo): after 32 bytes, texts with their length in front as a varint. */
function readInlineTexts(blob: Buffer): readonly [version: string, modules: string] | undefined {
  if (((blob[15] ?? 0) & 2) === 0) return undefined;
  const texts: string[] = [];
  let at = 32;
  for (let index = 0; index < 2; index++) {
    let [length, shift] = [0, 0];
    for (;;) {
      const byte = blob[at];
      if (byte === undefined || shift > 28) return undefined;
      length |= (byte & 0x7f) << shift;
      at += 1;
      shift += 7;
      if ((byte & 0x80) === 0) break;
    }
    if (length < 0 || at + length > blob.length) return undefined;
    texts.push(blob.toString('utf8', at, at + length));
    at += length;
  }
  return [texts[0] ?? '', texts[1] ?? ''];
}

function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function findBuildInformation(layout: ElfLayout): Buffer | undefined {
  const section = sectionBytes(layout, '.go.buildinfo');
  if (section !== undefined) return toBuffer(section);
  const segment = layout.segments.find(({ type, isWritable }) => type === segmentTypes.load && isWritable);
  if (segment === undefined) return undefined;
  const bytes = toBuffer(layout.view.slice(segment.offset, Math.min(segment.fileSize, maxScanBytes)));
  const at = bytes.indexOf(magic);
  return at === -1 ? undefined : bytes.subarray(at);
}

/** Go plugins have no build information, but the hashes of the packages they were built with, by which Go refuses all others. */
const pluginSymbol = /^go[.:]link\.pkghash/;

function readGo(layout: ElfLayout, exports: readonly string[]): GoBuild | undefined {
  const isPlugin = exports.some((name) => pluginSymbol.test(name));
  const blob = findBuildInformation(layout);
  const isGo = isPlugin || blob !== undefined || sectionBytes(layout, '.note.go.buildid') !== undefined;
  if (!isGo) return undefined;
  const texts = blob === undefined || !blob.subarray(0, 14).equals(magic) ? undefined : readInlineTexts(blob);
  const version = texts === undefined ? undefined : /^go\S+/.exec(texts[0])?.[0];
  const stated = texts === undefined ? undefined : /^build\t-buildmode=(\S+)$/m.exec(texts[1])?.[1];
  const buildMode = isPlugin ? 'plugin' : stated;
  return { ...(version === undefined ? {} : { version }), ...(buildMode === undefined ? {} : { buildMode }) };
}

/** Newer compilers leave a comment; all leave paths of the standard library in the messages of its panics. */
function readRust(layout: ElfLayout, comments: readonly string[]): RustBuild | undefined {
  const stated = comments.flatMap((line) => /^rustc version (\S+)/.exec(line)?.[1] ?? [])[0];
  if (stated !== undefined) return { version: stated };
  const constants = sectionBytes(layout, '.rodata');
  const at = constants === undefined ? -1 : toBuffer(constants).indexOf('/rustc');
  if (constants === undefined || at === -1) return undefined;
  const path = decodeText(constants.subarray(at, at + 64));
  const [, version] = /^\/rustc[-/](\d+\.\d+\.\d+)\//.exec(path) ?? [];
  if (version !== undefined) return { version };
  return /^\/rustc\/[0-9a-f]{40}\//.test(path) ? {} : undefined;
}

/** What made the file, as far as it says so. Throws BinaryFault. */
export function readElfOrigin(layout: ElfLayout, exports: readonly string[]): ElfOrigin {
  const go = readGo(layout, exports);
  const comment = sectionBytes(layout, '.comment');
  const comments =
    comment === undefined
      ? []
      : decodeText(comment.subarray(0, 4096))
          .split('\0')
          .filter((line) => line !== '');
  const rust = readRust(layout, comments);
  return { ...(go === undefined ? {} : { go }), ...(rust === undefined ? {} : { rust }), comments };
}
