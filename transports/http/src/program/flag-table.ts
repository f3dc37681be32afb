import type { Environment } from '@bifrost/framework/config';
import { logLevels, logStyles } from '../logging/log-level.ts';

/** One flag of the program as data: parsing, help and tests read it from here. */
export interface FlagEntry {
  /** Without dashes. */
  readonly name: string;
  /** What stands for the value in the help; undefined for a switch. */
  readonly placeholder?: string;
  /** Environment variables that give the value where the flag is not given; the first that is set wins. */
  readonly variables: readonly string[];
  readonly description: string;
  /** As the help shows it. */
  readonly shownDefault?: string;
  /** The values it takes, where they are few. */
  readonly choices?: readonly string[];
  /** Bounds of a whole number. */
  readonly range?: readonly [minimum: number, maximum: number];
}

export const flagTable = [
  {
    name: 'config',
    placeholder: 'FILE',
    variables: [],
    description: 'configuration file in the shape of Bifrost',
    shownDefault: 'config.json in the app directory, if there is one',
  },
  {
    name: 'app-dir',
    placeholder: 'DIR',
    variables: ['APP_DIR'],
    description: 'directory of config.json and, later, of the stores',
    shownDefault: '~/.config/bifrost',
  },
  {
    name: 'plugins-dir',
    placeholder: 'DIR',
    variables: ['APP_PLUGINS_DIR'],
    description: 'folder whose plugins are loaded without an entry for each',
  },
  {
    name: 'host',
    placeholder: 'HOST',
    variables: ['APP_HOST', 'BIFROST_HOST'],
    description: 'address to listen on; 0.0.0.0 for all',
    shownDefault: 'localhost',
  },
  {
    name: 'port',
    placeholder: 'PORT',
    variables: ['APP_PORT'],
    description: 'port to listen on; 0 for any free one',
    shownDefault: '8080',
    range: [0, 65_535],
  },
  {
    name: 'threads',
    placeholder: 'N',
    variables: [],
    description: 'serving threads',
    shownDefault: 'the cores',
    range: [1, 1024],
  },
  {
    name: 'log-level',
    placeholder: 'LEVEL',
    variables: ['LOG_LEVEL'],
    description: 'least important lines that are written',
    shownDefault: 'info',
    choices: logLevels,
  },
  {
    name: 'log-style',
    placeholder: 'STYLE',
    variables: ['LOG_STYLE'],
    description: 'how log lines look (on standard error)',
    shownDefault: 'pretty on a terminal, else json',
    choices: logStyles,
  },
  {
    name: 'drain-seconds',
    placeholder: 'N',
    variables: [],
    description: 'how long requests under way may go on after SIGTERM',
    shownDefault: '30',
    range: [0, 86_400],
  },
  {
    name: 'blocked-after-ms',
    placeholder: 'N',
    variables: [],
    description: 'a serving thread that stands still for longer is replaced',
    shownDefault: '2000',
    range: [100, 3_600_000],
  },
  { name: 'version', variables: [], description: 'print the version and how it was built, and exit' },
  { name: 'json', variables: [], description: 'with -version: as JSON' },
  { name: 'help', variables: [], description: 'print this and exit' },
] as const satisfies readonly FlagEntry[];

export type FlagName = (typeof flagTable)[number]['name'];

/** Values as given, by flag name; switches are `true`. */
export type FlagValues = Partial<Record<FlagName, string>>;

export type { Environment };
