/** What a file is, told by its content: an extension only says what someone meant it to be. */
import { isElf } from './elf/elf-layout.ts';
import { isMachO } from './read-mach-o.ts';
import { isPe } from './read-pe.ts';

export type FileFormat =
  | 'elf'
  | 'mach-o'
  | 'pe'
  | 'wasm'
  | 'zip'
  | 'gzip'
  | 'xz'
  | 'zstd'
  | 'bzip2'
  | 'ar'
  | 'java-class'
  | 'llvm-bitcode'
  | 'script'
  | 'html'
  | 'git-lfs-pointer'
  | 'linker-script'
  | 'wat'
  | 'json'
  | 'text'
  | 'utf-16'
  | 'empty'
  | 'unknown';

/** Formats as a sentence names them. */
export const formatNames: { readonly [Format in FileFormat]: string } = {
  elf: 'an ELF file (Linux)',
  'mach-o': 'a Mach-O file (macOS)',
  pe: 'a PE file (Windows)',
  wasm: 'a WebAssembly module',
  zip: 'a zip archive',
  gzip: 'a gzip archive',
  xz: 'an xz archive',
  zstd: 'a zstd archive',
  bzip2: 'a bzip2 archive',
  ar: 'a static library (ar archive)',
  'java-class': 'a Java class',
  'llvm-bitcode': 'LLVM bitcode',
  script: 'a script',
  html: 'an HTML page',
  'git-lfs-pointer': 'a pointer of Git LFS',
  'linker-script': 'a linker script',
  wat: 'WebAssembly text (.wat)',
  json: 'JSON',
  text: 'plain text',
  'utf-16': 'text in UTF-16',
  empty: 'an empty file',
  unknown: 'a file of an unknown kind',
};

const magicNumbers: readonly (readonly [FileFormat, readonly number[]])[] = [
  ['wasm', [0x00, 0x61, 0x73, 0x6d]],
  ['zip', [0x50, 0x4b, 0x03, 0x04]],
  ['zip', [0x50, 0x4b, 0x05, 0x06]],
  ['gzip', [0x1f, 0x8b]],
  ['xz', [0xfd, 0x37, 0x7a, 0x58, 0x5a]],
  ['zstd', [0x28, 0xb5, 0x2f, 0xfd]],
  ['bzip2', [0x42, 0x5a, 0x68]],
  ['ar', [0x21, 0x3c, 0x61, 0x72, 0x63, 0x68, 0x3e]],
  ['llvm-bitcode', [0x42, 0x43, 0xc0, 0xde]],
  ['utf-16', [0xff, 0xfe]],
  ['utf-16', [0xfe, 0xff]],
  ['java-class', [0xca, 0xfe, 0xba, 0xbe]],
];

const headBytes = 1024;

function textFormat(head: string): FileFormat {
  const text = head.replace(/^\uFEFF/, '').trimStart();
  if (head.startsWith('#!')) return 'script';
  if (/^(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body)\b/is.test(text)) return 'html';
  if (text.startsWith('version https://git-lfs.github.com/spec/')) return 'git-lfs-pointer';
  if (/^(\/\*.*?\*\/\s*)?(OUTPUT_FORMAT|GROUP|INPUT)\s*\(/s.test(text)) return 'linker-script';
  if (/^(;;.*\n\s*)*\(\s*(module|component)\b/.test(text)) return 'wat';
  if (/^[[{]/.test(text)) return 'json';
  return 'text';
}

function isText(head: Uint8Array): boolean {
  if (head.includes(0)) return false;
  const text = Buffer.from(head.buffer, head.byteOffset, head.byteLength).toString('utf8');
  // The last character may have been cut in two.
  return !text.slice(0, -3).includes('\uFFFD');
}

/** The format of a file's content. */
export function detectFormat(bytes: Uint8Array): FileFormat {
  if (bytes.byteLength === 0) return 'empty';
  if (isElf(bytes)) return 'elf';
  if (isMachO(bytes)) return 'mach-o';
  if (isPe(bytes)) return 'pe';
  const found = magicNumbers.find(([, magic]) => magic.every((byte, index) => bytes[index] === byte));
  if (found !== undefined) return found[0];
  const head = bytes.subarray(0, headBytes);
  return isText(head) ? textFormat(Buffer.from(head).toString('utf8')) : 'unknown';
}
