import { describe, expect, it } from 'vitest';
import { createLogger } from './logger.ts';
import type { LogRecord } from './logger.ts';
import { plainFields, withoutOwnNames } from './plain-fields.ts';
import { formatPrettyLine } from './pretty-line.ts';

const cycle: Record<string, unknown> = {};
cycle['self'] = cycle;
const odd = { big: 10n, cycle, call: () => 1, mark: Symbol('x'), list: [1n] };
const plain = { big: '10', cycle: '(cannot be written)', call: '(function)', mark: '(symbol)', list: ['1'] };
const format = (message: string, fields?: Record<string, unknown>): string =>
  formatPrettyLine({ level: 'info', message, ...(fields === undefined ? {} : { fields }) }, new Date(0), false);

describe('a line of the log', () => {
  it('is written whatever its fields hold', () => {
    expect(plainFields(odd)).toEqual(plain);
    expect(format('x', odd)).toBe(
      '00:00:00.000 INFO  x big=10 cycle="(cannot be written)" call="(function)" mark="(symbol)" list=["1"]\n',
    );
  });

  it('reaches a sink that does not take every value, and who writes it hears of nothing', () => {
    const records: LogRecord[] = [];
    const logger = createLogger('info', (record) => void records.push(structuredClone(record)));
    logger.info('x', odd as never);
    expect(records).toEqual([{ level: 'info', message: 'x', fields: plain }]);
  });

  it('says its own level and time, and not those of a field', () => {
    expect(withoutOwnNames({ level: 'fatal', msg: 'forged', a: 1 })).toEqual({
      field_level: 'fatal',
      field_msg: 'forged',
      a: 1,
    });
    expect(withoutOwnNames(undefined)).toEqual({});
  });

  it('for people moves no cursor, and begins no other line', () => {
    expect(format('a\u001b[2J\rb\nc\td\u009b')).toBe('00:00:00.000 INFO  a\\x1b[2J\\x0db\n             c\td\\x9b\n');
    expect(format('x', { 'k\n12:00 INFO': '\u001b[2J' })).toBe('00:00:00.000 INFO  x "k\\n12:00 INFO"="\\u001b[2J"\n');
  });
});
