import { MessageChannel } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { BatchedChannel } from './channel.ts';
import { PortChannel } from './port-channel.ts';

/** Writes into a list; what arrives is put in by hand. */
class ListChannel extends BatchedChannel<string, string> {
  readonly batches: (readonly string[])[] = [];

  arrive(...messages: readonly string[]): void {
    this.receiving(() => {
      for (const message of messages) this.receive([message]);
    });
  }

  protected write(batch: readonly string[]): void {
    this.batches.push(batch);
  }

  protected release(): void {
    // Nothing is held.
  }
}

const nextTick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a channel gathers what is sent', () => {
  it('within one turn of the loop', async () => {
    const channel = new ListChannel();
    channel.send('a');
    await nextTick();
    channel.send('b');
    expect(channel.batches).toEqual([]);
    await nextTurn();
    expect(channel.batches).toEqual([['a', 'b']]);
  });

  it('until the running code has ended, where a message is urgent: what waited leaves with it, in order', async () => {
    const channel = new ListChannel();
    channel.send('waits');
    channel.send('urgent', 'tick');
    expect(channel.batches).toEqual([]);
    await nextTick();
    expect(channel.batches).toEqual([['waits', 'urgent']]);
    await nextTurn();
    expect(channel.batches).toHaveLength(1);
  });

  it('while it receives: the answers to all that has arrived leave in one batch, and no later', () => {
    const channel = new ListChannel();
    channel.onMessages(([message]) => channel.send(`answer to ${message}`, message === 'a' ? 'turn' : 'tick'));
    channel.arrive('a', 'b', 'c');
    expect(channel.batches).toEqual([['answer to a', 'answer to b', 'answer to c']]);
  });

  it('and writes nothing once it is closed', async () => {
    const channel = new ListChannel();
    channel.send('a');
    channel.send('b', 'tick');
    channel.send('c', 'idle');
    channel.close();
    await nextTurn();
    expect(channel.batches).toEqual([]);
  });

  it('of two ends of a port', async () => {
    const { port1, port2 } = new MessageChannel();
    const [one, other] = [new PortChannel<string, string>(port1), new PortChannel<string, string>(port2)];
    other.onMessages((messages) => messages.forEach((message) => other.send(`${message}!`)));
    const answer = new Promise((resolve) => one.onMessages(resolve));
    one.send('a', 'tick');
    one.send('b', 'tick');
    expect(await answer).toEqual(['a!', 'b!']);
    one.close();
    other.close();
  });
});

describe('a message that nobody waits for', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it('travels with the next one', async () => {
    const channel = new ListChannel();
    channel.send('end', 'idle');
    await nextTurn();
    expect(channel.batches).toEqual([]);
    channel.send('call', 'tick');
    await nextTick();
    expect(channel.batches).toEqual([['end', 'call']]);
  });

  it('leaves by itself after a while where there is none', () => {
    const channel = new ListChannel();
    channel.send('end', 'idle');
    channel.send('end of another', 'idle');
    vi.advanceTimersByTime(20);
    expect(channel.batches).toEqual([['end', 'end of another']]);
    channel.send('a third', 'idle');
    vi.advanceTimersByTime(20);
    expect(channel.batches).toEqual([['end', 'end of another'], ['a third']]);
  });
});
