/** All commands, in the order in which the help lists them. */
import type { Command } from '../command.ts';
import { pluginBench } from './plugin-bench.ts';
import { pluginBuild } from './plugin-build.ts';
import { pluginCheck } from './plugin-check.ts';
import { pluginKeygen } from './plugin-keygen.ts';
import { pluginNew } from './plugin-new.ts';
import { pluginReplay } from './plugin-replay.ts';
import { pluginSign } from './plugin-sign.ts';
import { pluginTest } from './plugin-test.ts';
import { pluginTypes } from './plugin-types.ts';
import { pluginVerify } from './plugin-verify.ts';

export const commands: readonly Command[] = [
  pluginNew,
  pluginCheck,
  pluginTest,
  pluginBench,
  pluginBuild,
  pluginKeygen,
  pluginSign,
  pluginVerify,
  pluginReplay,
  pluginTypes,
];
