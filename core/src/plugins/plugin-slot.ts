/** A plugin within one set of chains. */
import { DurationBuckets } from './duration-buckets.ts';
import { PluginHealth } from './plugin-health.ts';
import { forwardRanks, placesOf } from './chain-order.ts';
import type { PluginPlace } from './chain-order.ts';
import type { RequestTest } from './hook-filter.ts';
import { requestDraw } from './request-share.ts';
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
  readonly place: PluginPlace;
  /** Which requests are this plugin's where a canary shares its place; null: all. */
  readonly share: RequestTest | null;
  readonly health: PluginHealth;
  /** Time that requests spent in this plugin's hooks before their first content left. */
  readonly addedToFirstContent: DurationBuckets = new DurationBuckets();

  constructor(instance: PluginInstance, given: Pick<PluginSlot, 'index' | 'number' | 'ranks' | 'place' | 'share'>) {
    this.instance = instance;
    this.index = given.index;
    this.number = given.number;
    this.ranks = given.ranks;
    this.place = given.place;
    this.share = given.share;
    this.health = new PluginHealth(instance);
  }
}

/** Makes the slots of `instances`; `firstNumber` is the number of the first one in `running` marks. */
export function createSlots(instances: readonly PluginInstance[], firstNumber: number): readonly PluginSlot[] {
  const places = placesOf(instances);
  const http = forwardRanks(instances, 'httpTransportPreHook');
  const llm = forwardRanks(instances, 'preLLMHook');
  const mcp = forwardRanks(instances, 'preMCPHook');
  const connection = forwardRanks(instances, 'preMCPConnectionHook');
  return instances.map((instance, index) => {
    const rankIn = (ranks: readonly number[]): number => ranks[index] ?? index;
    const ranks = { http: rankIn(http), llm: rankIn(llm), mcp: rankIn(mcp), mcpConnection: rankIn(connection) };
    const place = places[index] ?? { placement: instance.placement, order: instance.order, index };
    const share = shareOf(instance, instances);
    return new PluginSlot(instance, { index, number: firstNumber + index, ranks, place, share });
  });
}

/** A canary has the requests whose draw is below its share, the plugin that it may replace the others. */
function shareOf(instance: PluginInstance, instances: readonly PluginInstance[]): RequestTest | null {
  const { canary } = instance;
  if (canary !== undefined) return (facts) => requestDraw(facts.requestId) < canary.share;
  const shares = instances.flatMap((one) => (one.canary?.of === instance.name ? [one.canary.share] : []));
  if (shares.length === 0) return null;
  const taken = Math.max(...shares);
  return (facts) => requestDraw(facts.requestId) >= taken;
}
