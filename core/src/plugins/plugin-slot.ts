/** A plugin within one set of chains. */
import { DurationBuckets } from './duration-buckets.ts';
import { PluginHealth } from './plugin-health.ts';
import { forwardRanks } from './chain-order.ts';
import type { PluginInstance } from './instance.ts';

/** A plugin's place in the forward passes, whether or not it has their hooks: what says how far a pass came. */
export interface SlotRanks {
  readonly http: number;
  readonly llm: number;
  readonly mcp: number;
  readonly mcpConnection: number;
}

export class PluginSlot {
  /** Place in the list of instances; stable within the set. */
  readonly index: number;
  /** What the plugin is called in `running` marks. */
  readonly number: number;
  readonly instance: PluginInstance;
  readonly ranks: SlotRanks;
  readonly health: PluginHealth;
  /** Time that requests spent in this plugin's hooks before their first content left. */
  readonly addedToFirstContent: DurationBuckets = new DurationBuckets();

  constructor(instance: PluginInstance, place: { index: number; number: number; ranks: SlotRanks }) {
    this.instance = instance;
    this.index = place.index;
    this.number = place.number;
    this.ranks = place.ranks;
    this.health = new PluginHealth(instance);
  }
}

/** Makes the slots of `instances`; `firstNumber` is the number of the first one in `running` marks. */
export function createSlots(instances: readonly PluginInstance[], firstNumber: number): readonly PluginSlot[] {
  const http = forwardRanks(instances, 'httpTransportPreHook');
  const llm = forwardRanks(instances, 'preLLMHook');
  const mcp = forwardRanks(instances, 'preMCPHook');
  const connection = forwardRanks(instances, 'preMCPConnectionHook');
  return instances.map((instance, index) => {
    const rankIn = (ranks: readonly number[]): number => ranks[index] ?? index;
    const ranks = { http: rankIn(http), llm: rankIn(llm), mcp: rankIn(mcp), mcpConnection: rankIn(connection) };
    return new PluginSlot(instance, { index, number: firstNumber + index, ranks });
  });
}
