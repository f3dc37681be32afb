import { expect, it } from 'vitest';
import { isWorkshopCall } from './workshop.ts';

it.each([
  [['plugin', 'new', 'hello'], './bifrost-http', true],
  [['plugins'], 'node', true],
  [[], '/usr/local/bin/bifrost', true],
  [['--version'], 'bifrost.exe', true],
  [['-port', '0'], './bifrost-http', false],
  [['-app-dir', 'plugin'], 'node', false],
  [[], 'bifrost-http', false],
])('%j as %s asks for the command line of plugins: %s', (args, argv0, expected) => {
  expect(isWorkshopCall(args, argv0)).toBe(expected);
});
