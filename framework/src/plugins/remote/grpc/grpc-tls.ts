/** The certificates of a connection to a gRPC plugin on another machine. */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { createSecureContext } from 'node:tls';
import { PluginError } from '@bifrost/sdk';
import type { GrpcTlsSettings } from '../../plugin-entry.ts';
import type { GrpcTls } from '../remote-plugin.ts';

/**
 * Reads the files that `tls` of an entry names, from `directory` on. Throws PluginError that names the file; never with what stands in it.
 */
export function readGrpcTls(plugin: string, directory: string, settings: GrpcTlsSettings): GrpcTls {
  const refuse = (message: string): never => {
    throw new PluginError(plugin, message, { code: 'BF_PLUGIN_GRPC_FAILED' });
  };
  const read = (member: 'ca' | 'cert' | 'key'): string | undefined => {
    const path = settings[member];
    if (path === undefined) return undefined;
    const file = resolve(directory, path);
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      const why = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
      return refuse(`tls.${member}: ${file} cannot be read (${why})`);
    }
  };
  const [ca, cert, key] = [read('ca'), read('cert'), read('key')];
  if ((cert === undefined) !== (key === undefined)) refuse('tls: `cert` and `key` go together; give both or neither');
  try {
    createSecureContext({ ...(ca === undefined ? {} : { ca }), ...(cert === undefined ? {} : { cert, key }) });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown reason';
    refuse(`tls: the files are not PEM certificates with the key of the first (${code})`);
  }
  const { serverName } = settings;
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined || key === undefined ? {} : { client: { cert, key } }),
    ...(serverName === undefined ? {} : { serverName }),
  };
}
