import { setImmediate, setTimeout } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { answering, okAnswer, RecordedCall, ScriptedServer, transportWith } from './__tests__/scripted-server.ts';

const closed = (socket: { destroyed: boolean; once(name: 'close', done: () => void): unknown }) =>
  socket.destroyed ? undefined : new Promise<void>((resolve) => socket.once('close', resolve));

describe('a request', () => {
  it('is a head of ours and the bytes of the body, small or large, in one buffer or many', async () => {
    const server = answering(okAnswer);
    const origin = await server.listen();
    const transport = transportWith();
    const large = Buffer.alloc(3_000_000, 'ä');
    const bodies = [Buffer.alloc(0), Buffer.from('{"ä":1}'), large];
    for (const body of bodies) await new RecordedCall(transport, origin, { body }).run();
    const parts = [Buffer.from('é'), Buffer.alloc(0), Buffer.from('è')];
    await new RecordedCall(transport, origin, { body: parts }).run();
    await new RecordedCall(transport, origin, { body: [...parts, large] }).run();
    expect(server.requests.map(({ body }) => body)).toEqual([
      ...bodies,
      Buffer.concat(parts),
      Buffer.concat([...parts, large]),
    ]);
    const host = new URL(origin).host;
    expect(server.requests[1]?.head).toBe(`POST /v1/x HTTP/1.1\r\nhost: ${host}\r\na: b\r\ncontent-length: 8\r\n\r\n`);
    expect(server.sockets.length).toBe(1);
  });

  it("has the operator's own host where there is one", async () => {
    const server = answering(okAnswer);
    const origin = await server.listen();
    await new RecordedCall(transportWith(), origin, { headers: ['Host', 'inner.test:8'] }).run();
    expect(server.requests[0]?.head).toContain('\r\nhost: inner.test:8\r\ncontent-length');
  });

  it.each([
    ['a line break in a value', { headers: ['a', 'b\r\nc: d'] }],
    ['a NUL in a value', { headers: ['a', '\0'] }],
    ['a character beyond latin1 in a value', { headers: ['a', '→'] }],
    ['a space in a name', { headers: ['a b', 'c'] }],
    ['an empty name', { headers: ['', 'c'] }],
    ['a length of its own', { headers: ['Content-Length', '2'] }],
    ['a transfer encoding', { headers: ['Transfer-Encoding', 'chunked'] }],
    ['an expectation', { headers: ['expect', '100-continue'] }],
    ['two hosts', { headers: ['host', 'a', 'Host', 'b'] }],
    ['a host that is none', { headers: ['host', 'a b'] }],
    ['a space in its path', { path: '/a b' }],
    ['a line break in its path', { path: '/a\r\nb: c' }],
    ['a path without a slash', { path: 'a' }],
  ])('with %s is not sent, and says so', async (_what, changes) => {
    const server = answering(okAnswer);
    const origin = await server.listen();
    const transport = transportWith();
    const { events, error } = await new RecordedCall(transport, origin, changes).run();
    expect(events).toEqual(['failure BF_UPSTREAM_REQUEST_INVALID']);
    expect(error?.statusCode).toBe(502);
    expect(server.sockets.length).toBe(0);
  });
});

describe('an answer', () => {
  it('is told as head, data and end', async () => {
    const origin = await answering('HTTP/1.1 201 X\r\nX-A: 1\r\nx-a: 2\r\ncontent-length: 2\r\n\r\nhi').listen();
    const call = await new RecordedCall(transportWith(), origin).run();
    expect(call.events).toEqual(['head 201', 'data', 'end']);
    expect({ ...call.headers }).toEqual({ 'x-a': ['1', '2'], 'content-length': '2' });
    expect(call.body).toBe('hi');
  });

  it('in chunks is one piece for what came in one piece', async () => {
    const chunks = '2\r\nab\r\n3;x=y\r\ncde\r\n1\r\nf\r\n0\r\n\r\n';
    const origin = await answering(`HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${chunks}`).listen();
    const call = await new RecordedCall(transportWith(), origin).run();
    expect(call.events).toEqual(['head 200', 'data', 'end']);
    expect(call.body).toBe('abcdef');
  });

  it('keeps its bytes while later ones arrive', async () => {
    const server = new ScriptedServer(({ socket }) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 300\r\n\r\n'));
    const origin = await server.listen();
    const call = new RecordedCall(transportWith(), origin);
    const done = call.run();
    await server.received(1);
    for (const letter of 'abc') {
      const before = call.chunks.length;
      server.sockets[0]?.write(letter.repeat(100));
      while (call.chunks.length === before) await setImmediate();
    }
    await done;
    expect(call.body).toBe('a'.repeat(100) + 'b'.repeat(100) + 'c'.repeat(100));
  });

  it.each([
    ['before its head is whole', 'HTTP/1.1 200 OK\r\n', ['failure BF_UPSTREAM_UNREACHABLE']],
    [
      'in its body',
      'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi',
      ['head 200', 'data', 'failure BF_UPSTREAM_TRUNCATED'],
    ],
    [
      'between chunks',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n',
      ['head 200', 'data', 'failure BF_UPSTREAM_TRUNCATED'],
    ],
    ['where only that is its end', 'HTTP/1.1 200 OK\r\n\r\nhi', ['head 200', 'data', 'end']],
  ])('whose connection ends %s', async (_when, text, events) => {
    const origin = await new ScriptedServer(({ socket }) => socket.end(text)).listen();
    const call = await new RecordedCall(transportWith(), origin).run();
    expect(call.events).toEqual(events);
  });

  it('that ends with its connection is not whole when the connection is reset', async () => {
    const server = new ScriptedServer(({ socket }) => socket.write('HTTP/1.1 200 OK\r\n\r\nhi'));
    const origin = await server.listen();
    const call = new RecordedCall(transportWith(), origin);
    const done = call.run();
    while (call.chunks.length === 0) await setImmediate();
    server.sockets[0]?.resetAndDestroy();
    await done;
    expect(call.events.at(-1)).toBe('failure BF_UPSTREAM_TRUNCATED');
  });

  it('that is not HTTP is a failure with what came before it, and a code that says what is wrong', async () => {
    const bad = await answering('SSH-2.0-x\r\n').listen();
    const call = await new RecordedCall(transportWith(), bad).run();
    expect(call.events).toEqual(['failure BF_UPSTREAM_UNREACHABLE']);
    expect(call.error?.message).toContain('(RESPONSE_HEAD_INVALID)');
    const late = await answering('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\nx').listen();
    const { events, body } = await new RecordedCall(transportWith(), late).run();
    expect(events).toEqual(['head 200', 'data', 'failure BF_UPSTREAM_TRUNCATED']);
    expect(body).toBe('hi');
  });

  it('whose listener throws is a failure of the call, and its connection is not used again', async () => {
    const server = answering(okAnswer);
    const origin = await server.listen();
    const transport = transportWith();
    for (const moment of ['head 200', 'data']) {
      const call = new RecordedCall(transport, origin);
      call.onEvent = (event) => {
        if (event === moment) throw new Error('a mistake');
      };
      await call.run();
      expect(call.events.at(-1)).toBe('failure BF_UPSTREAM_TRUNCATED');
    }
    expect(server.sockets.length).toBe(2);
    const call = new RecordedCall(transport, origin);
    call.onEvent = (event) => {
      if (event === 'end') throw new Error('a mistake');
    };
    await call.run();
    expect(call.events).toEqual(['head 200', 'data', 'end', 'failure BF_UPSTREAM_TRUNCATED']);
  });
});

describe('a call that is given up', () => {
  it('destroys its connection at once and hears nothing more, before the answer and in it', async () => {
    for (const text of ['', 'HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi']) {
      const server = answering(text);
      const origin = await server.listen();
      const call = new RecordedCall(transportWith(), origin);
      call.call.start();
      await server.received(1);
      while (text !== '' && call.chunks.length === 0) await setImmediate();
      const heard = [...call.events];
      call.call.abort();
      await closed(server.sockets[0] as never);
      expect(call.events).toEqual(heard);
    }
  });

  it('by its own listener hears nothing more', async () => {
    const server = answering(okAnswer);
    const origin = await server.listen();
    const call = new RecordedCall(transportWith(), origin);
    call.onEvent = () => call.call.abort();
    call.call.start();
    await server.received(1);
    await closed(server.sockets[0] as never);
    expect(call.events).toEqual(['head 200']);
  });

  it('before it is started is never sent, and after its end changes nothing', async () => {
    const server = answering(okAnswer);
    const origin = await server.listen();
    const transport = transportWith();
    const early = new RecordedCall(transport, origin);
    early.call.abort();
    early.call.start();
    const late = await new RecordedCall(transport, origin).run();
    late.call.abort();
    await new RecordedCall(transport, origin).run();
    expect(early.events).toEqual([]);
    expect(server.requests.map(({ connection }) => connection)).toEqual([0, 0]);
  });
});

describe('a paused call', () => {
  it('is told nothing until it is resumed, then everything in order', async () => {
    const server = answering(okAnswer);
    const origin = await server.listen();
    const transport = transportWith();
    for (const moment of ['', 'head 200', 'data']) {
      const call = new RecordedCall(transport, origin);
      if (moment === '') call.call.pause();
      call.onEvent = (event) => event === moment && call.call.pause();
      const done = call.run();
      await server.received(server.requests.length + 1);
      await setTimeout(20);
      expect(call.events.at(-1) ?? '').toBe(moment);
      expect(call.call.isPaused).toBe(true);
      call.call.resume();
      await done;
      expect(call.events).toEqual(['head 200', 'data', 'end']);
      expect(call.call.resumedAt).toBeGreaterThan(0);
    }
    expect(server.sockets.length).toBe(1);
  });

  it('that resumes while it is told something goes on as if it had not', async () => {
    const origin = await answering(okAnswer).listen();
    const call = new RecordedCall(transportWith(), origin);
    call.onEvent = () => {
      call.call.pause();
      call.call.resume();
    };
    await call.run();
    expect(call.events).toEqual(['head 200', 'data', 'end']);
  });

  it('stops the server: what it does not read stays on the way', async () => {
    const total = 64 * 1024 * 1024;
    let written = 0;
    const chunk = Buffer.alloc(256 * 1024, 'x');
    const server = new ScriptedServer(({ socket }) => {
      socket.write(`HTTP/1.1 200 OK\r\ncontent-length: ${total}\r\n\r\n`);
      const more = (): void => {
        while (written < total) {
          written += chunk.length;
          if (!socket.write(chunk)) {
            socket.once('drain', more);
            return;
          }
        }
      };
      more();
    });
    const origin = await server.listen();
    const call = new RecordedCall(transportWith(), origin);
    let received = 0;
    call.onEvent = (event) => {
      if (event !== 'data') return;
      received += call.chunks.splice(0).reduce((sum, { length }) => sum + length, 0);
      if (received < 1_000_000) call.call.pause();
    };
    const done = call.run();
    await server.received(1);
    await setTimeout(100);
    expect(written).toBeLessThan(total / 2);
    const before = [received, written];
    await setTimeout(150);
    expect([received, written]).toEqual(before);
    while (call.call.isPaused) {
      call.call.resume();
      await setTimeout(1);
    }
    await done;
    expect(received).toBe(total);
  });

  it('is told of a broken connection only when it has been told what came before', async () => {
    const server = new ScriptedServer(({ socket }) => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhi'));
    const origin = await server.listen();
    const call = new RecordedCall(transportWith(), origin);
    call.call.pause();
    const done = call.run();
    await server.received(1);
    await setTimeout(20);
    expect(call.events).toEqual([]);
    call.call.resume();
    await done;
    expect(call.events).toEqual(['head 200', 'data', 'failure BF_UPSTREAM_TRUNCATED']);
  });

  it('can be given up', async () => {
    const server = answering(okAnswer);
    const origin = await server.listen();
    const call = new RecordedCall(transportWith(), origin);
    call.call.pause();
    call.call.start();
    await server.received(1);
    await setTimeout(10);
    call.call.abort();
    call.call.resume();
    await closed(server.sockets[0] as never);
    expect(call.events).toEqual([]);
  });
});
