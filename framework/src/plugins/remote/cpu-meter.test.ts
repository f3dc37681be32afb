import { closeSync, openSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { CpuMeter, readProcessCpuMs } from './cpu-meter.ts';

describe('the processor time that is used on average', () => {
  it('is not known before it was looked at twice', () => {
    const meter = new CpuMeter(1000);
    expect(meter.load).toBeUndefined();
    meter.add(500, 0);
    expect([meter.load, meter.overrun(0.1)]).toEqual([undefined, undefined]);
  });

  it('counts what came before the first look as idle, so that a burst is no overrun', () => {
    const meter = new CpuMeter(1000);
    meter.add(0, 0);
    meter.add(250, 250);
    expect(meter.load).toBe(0.25);
    expect(meter.overrun(0.3)).toBeUndefined();
    meter.add(500, 500);
    expect(meter.overrun(0.3)).toBe('was ended: it used more than 0.3 of a processor over 1 s (`cpu_limit`)');
  });

  it('forgets what is older than the window', () => {
    const meter = new CpuMeter(1000);
    meter.add(0, 0);
    meter.add(900, 1000);
    for (let at = 1250; at <= 2250; at += 250) meter.add(900, at);
    expect(meter.load).toBe(0);
  });

  it('is that of all processors together', () => {
    const meter = new CpuMeter(1000);
    meter.add(0, 0);
    meter.add(2000, 1000);
    expect(meter.load).toBe(2);
    expect([meter.overrun(2), meter.overrun(undefined)]).toEqual([undefined, undefined]);
  });

  it('is averaged over longer where nobody looked for longer', () => {
    const meter = new CpuMeter(1000);
    meter.add(0, 0);
    meter.add(1000, 4000);
    expect(meter.load).toBe(0.25);
  });
});

describe.skipIf(process.platform !== 'linux')('the processor time of a process', () => {
  it('is read from the system', () => {
    const descriptor = openSync('/proc/self/stat', 'r');
    try {
      const { user, system } = process.cpuUsage();
      const difference = Math.abs((readProcessCpuMs(descriptor) ?? 0) - (user + system) / 1000);
      expect(difference).toBeLessThan(500);
    } finally {
      closeSync(descriptor);
    }
  });

  it('is unknown where that says nothing of it', () => {
    expect(readProcessCpuMs(-1)).toBeUndefined();
  });
});
