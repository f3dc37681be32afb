/** The line by which a started plugin says where it listens. The form is that of HashiCorp's go-plugin, whose servers print it. */
import { protocolVersions } from './plugin-service.ts';

const example = '1|1|unix|/path/to/plugin.sock|grpc';

/** Longest line that is waited for; a program that writes more without a line break is no plugin. */
export const maxHandshakeBytes = 4096;

/** An address as grpc-js takes it: `unix:/path` or `host:port`. Throws Error with what is wrong with the line. */
export function parseHandshake(line: string): string {
  const fields = line.trim().split('|');
  const [core, protocol, network, address = '', kind] = fields;
  if (fields.length < 5 || core !== '1') {
    throw new Error(`its first line is ${JSON.stringify(line.trim().slice(0, 200))}, expected one like ${example}`);
  }
  if (!protocolVersions.includes(Number(protocol))) {
    throw new Error(
      `it speaks version ${protocol} of the plugin protocol; this gateway speaks ${protocolVersions.join(', ')}`,
    );
  }
  if (kind !== 'grpc') throw new Error(`it speaks "${kind}", expected "grpc"`);
  if (network === 'unix' && address.startsWith('/')) return `unix:${address}`;
  if (network === 'tcp' && /^(127\.0\.0\.1|localhost|\[::1\]):\d{1,5}$/.test(address)) return address;
  throw new Error(
    `it listens on ${network} "${address}": a plugin that the gateway starts listens on a unix socket with an absolute path, or on tcp on loopback`,
  );
}
