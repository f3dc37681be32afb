/**
 * Libraries made by Go stay: their runtime, with its threads and signal handlers, cannot be unloaded, and each further copy brings
 * another. So a Go library is loaded once in a process, under a path that its content alone decides, and what is loaded is told
 * from the process's own mappings, which all threads see.
 */
import { readFileSync } from 'node:fs';

/** Stands in front of the build information that Go's linker writes into every binary (debug/buildinfo). */
const buildInformation = Buffer.from('\xff Go buildinf:', 'latin1');

/** True for a library that Go has made. */
export function isGoLibrary(bytes: Buffer): boolean {
  return bytes.includes(buildInformation);
}

/** Digits of the digest that stand in the path. */
const goKeyLength = 32;

/** Ends the name of a Go library's copy. */
export function goKey(digest: string): string {
  return `go-${digest.slice(0, goKeyLength)}`;
}

/** Where there is no `/proc`: keys by plugin, of this thread. */
const loadedHere = new Map<string, string>();

/** Notes that the library is loaded. */
export function noteGoLibrary(plugin: string, key: string): void {
  loadedHere.set(plugin, key);
}

/** Keys of the Go libraries that the process has loaded for `plugin`: at most one, unless other threads were loading at the time. */
export function loadedGoKeys(plugin: string): readonly string[] {
  let mappings: string;
  try {
    mappings = readFileSync('/proc/self/maps', 'utf8');
  } catch {
    const key = loadedHere.get(plugin);
    return key === undefined ? [] : [key];
  }
  const marker = `/${plugin}-${process.pid}-go-`;
  const keys = new Set<string>();
  for (const line of mappings.split('\n')) {
    const at = line.indexOf(marker);
    if (at !== -1) keys.add(line.slice(at + marker.length - 'go-'.length, at + marker.length + goKeyLength));
  }
  return [...keys];
}
