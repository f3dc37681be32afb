import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { breachWords } from './channel.ts';
import { LostChannel } from './lost-channel.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('a channel that its other side has ended', () => {
  it.each(['port', 'descriptor', 'grpc'] as const)('by breaking it (%s) is told at once', (kind) => {
    const told: string[] = [];
    const lost = new LostChannel(kind, (reason) => told.push(reason));
    lost.tell(breachWords.unread);
    expect(told).toEqual(['it does not read what it is sent']);
  });

  it('is told of a program that goes on without its session, when no other has come', () => {
    const told: string[] = [];
    const [lost, replaced] = [0, 1].map(() => new LostChannel('grpc', (reason) => told.push(reason)));
    lost?.tell('it ended its session');
    replaced?.tell('it ended its session');
    vi.advanceTimersByTime(10_000);
    expect(told).toEqual([]);
    replaced?.end();
    vi.advanceTimersByTime(10_000);
    expect(told).toEqual(['it ended its session']);
  });

  it('is not told of a process that has ended: another one comes', () => {
    const told: string[] = [];
    new LostChannel('descriptor', (reason) => told.push(reason)).tell('the other side has ended');
    vi.advanceTimersByTime(60_000);
    expect(told).toEqual([]);
  });
});
