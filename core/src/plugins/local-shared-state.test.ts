import { describe, expect, it } from 'vitest';
import { LocalSharedState } from './local-shared-state.ts';

describe('LocalSharedState', () => {
  it('counts from 0 and returns the new value', () => {
    const shared = new LocalSharedState('p');
    expect([shared.add('calls'), shared.add('calls', 4), shared.add('calls', -2)]).toEqual([1, 5, 3]);
  });

  it('gives copies of values, and forgets what is set to undefined', () => {
    const shared = new LocalSharedState('p');
    const value = { list: [1] };
    shared.set('k', value);
    value.list.push(2);
    expect(shared.get('k')).toEqual({ list: [1] });
    shared.set('k', undefined);
    expect(shared.get('k')).toBeUndefined();
  });

  it('refuses what does not fit, and keeps what it has', () => {
    const shared = new LocalSharedState('p');
    shared.set('k', 'x'.repeat(60_000));
    expect(() => shared.set('l', 'y'.repeat(10_000))).toThrow(/plugin p: .*65536 bytes/);
    expect(shared.get('l')).toBeUndefined();
    shared.set('k', 'small');
    shared.set('l', 'y'.repeat(10_000));
    expect(shared.get('l')).toHaveLength(10_000);
  });

  it('bounds the number of counters and values', () => {
    const shared = new LocalSharedState('p');
    for (let index = 0; index < 1024; index += 1) shared.add(`c${index}`);
    expect(() => shared.add('one more')).toThrow(expect.objectContaining({ code: 'BF_PLUGIN_SHARED_FULL' }));
    expect(() => shared.add('one more')).toThrow(/1024 counters/);
    for (let index = 0; index < 256; index += 1) shared.set(`v${index}`, index);
    expect(() => shared.set('one more', 1)).toThrow(/256 values/);
  });
});
