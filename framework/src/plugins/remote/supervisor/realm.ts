/** A thread or process with a runner in it, as its supervisor drives it. */
import type { HookName } from '@bifrost/sdk';
import type { FromRunner, ToRunner } from '../control.ts';
import type { RemoteChannel } from '../remote-plugin.ts';

export interface RealmEvents {
  onMessage(message: FromRunner): void;
  /** One line that the plugin wrote to its standard output or error. */
  onOutput(line: string, isError: boolean): void;
  /** It is gone, and nothing will be said any more; `hook` is what it ran. */
  onEnd(reason: string, hook?: HookName): void;
}

export interface Realm {
  readonly kind: 'worker' | 'process';
  send(message: ToRunner): void;
  openChannel(): RemoteChannel;
  /** Bytes; undefined where they cannot be told now. */
  sampleMemory(): Promise<number | undefined>;
  /** Milliseconds of processor time since its start; undefined where they cannot be told now. */
  sampleCpu(): Promise<number | undefined>;
  /** The hook whose synchronous part runs now, or ran last if the realm is blocked. */
  currentHook(): HookName | undefined;
  /** Ends it, whatever it does. Resolves when it is gone, or cannot be made to go. */
  kill(): Promise<void>;
}

export type StartRealm = (events: RealmEvents) => Realm;
