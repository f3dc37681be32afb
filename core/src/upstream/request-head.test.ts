import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { writeRequest } from './request-head.ts';

/** What a socket is told to do, in order: the very things that it gets to write. */
function recordingSocket(): { readonly socket: Socket; readonly told: unknown[] } {
  const told: unknown[] = [];
  const socket = {
    cork: () => told.push('cork'),
    uncork: () => told.push('uncork'),
    write: (bytes: unknown) => told.push(bytes),
  };
  return { socket: socket as unknown as Socket, told };
}

const head = 'POST /v1/x HTTP/1.1\r\n\r\n';

describe('a request is written', () => {
  it('as one string where it is small, whether its body is one buffer or several', () => {
    const parts = [Buffer.from('{"ä":'), Buffer.alloc(0), Buffer.from('1}')];
    for (const body of [Buffer.concat(parts), parts]) {
      const { socket, told } = recordingSocket();
      writeRequest(socket, head, body);
      expect(told).toEqual([head + Buffer.concat(parts).toString('latin1')]);
    }
  });

  it('in one go with the very buffers of its body where it is large: they are not copied', () => {
    const large = Buffer.alloc(16 * 1024 + 1 - head.length, 'x');
    const { socket, told } = recordingSocket();
    writeRequest(socket, head, large);
    expect(told).toEqual(['cork', head, large, 'uncork']);
    expect(told[2]).toBe(large);
    const parts = [Buffer.from('{'), Buffer.alloc(0), large];
    const several = recordingSocket();
    writeRequest(several.socket, head, parts);
    expect(several.told).toEqual(['cork', head, parts[0], large, 'uncork']);
    expect(several.told[2]).toBe(parts[0]);
    expect(several.told[3]).toBe(large);
  });
});
