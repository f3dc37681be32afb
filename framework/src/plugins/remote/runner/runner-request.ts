/** One request as the runner knows it: what its contexts share, and what the plugin did through them since it was last told. */
import { RequestContext } from '@bifrost/core/plugins';
import type { ContextOwner, PluginInstance } from '@bifrost/core';
import type { Json, RequestFacts, RoutingNote } from '@bifrost/sdk';
import type { CallMessage, ContextEffects } from '../protocol.ts';

/** Values of all plugins; remembers what is set here. */
class RecordedValues extends Map<string, Json> {
  changed: Map<string, Json> | undefined;

  override set(key: string, value: Json): this {
    (this.changed ??= new Map()).set(key, value);
    return super.set(key, value);
  }

  /** Takes over what was set elsewhere. */
  learn(key: string, value: Json): void {
    super.set(key, value);
  }
}

export class RunnerRequest implements ContextOwner {
  facts: RequestFacts;
  readonly areInputsFrozen: boolean;
  attributes: Map<string, Json> | null = null;
  routingNotes: RoutingNote[] | null = null;
  /** Streams of this request that have not ended. */
  readonly streams = new Set<number>();
  readonly #instance: PluginInstance;
  #values: RecordedValues | null = null;
  #controller: AbortController | undefined;
  #abortReason: Error | undefined;
  #context: RequestContext | undefined;
  #background: RequestContext | undefined;

  constructor(facts: RequestFacts, instance: PluginInstance, areInputsFrozen: boolean) {
    this.facts = facts;
    this.#instance = instance;
    this.areInputsFrozen = areInputsFrozen;
  }

  get values(): Map<string, Json> | null {
    return this.#values;
  }

  /** Contexts make the map with the first value that is set: it has to be one that records. */
  set values(map: Map<string, Json> | null) {
    this.#values = new RecordedValues();
    for (const [key, value] of map ?? []) this.#values.set(key, value);
  }

  get requestSignal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  /** Brings it up to what the thread knows, and gives the context for the call. */
  begin({ hook, facts, values }: CallMessage): RequestContext {
    if (facts !== undefined) this.facts = Object.freeze(facts);
    if (values !== undefined) {
      this.#values ??= new RecordedValues();
      for (const [key, value] of values) this.#values.learn(key, value);
    }
    this.#context ??= new RequestContext(this, this.#instance);
    if (hook !== 'inject') return this.#context;
    return (this.#background ??= this.#context.background());
  }

  /** The client has gone. */
  abort(reason: Error): void {
    this.#abortReason = reason;
    this.#controller?.abort(reason);
  }

  /** A call's deadline has passed: later calls get a context of their own. */
  expire(context: RequestContext, reason: Error): void {
    const next = context.expire(reason);
    if (context === this.#context) this.#context = next;
    else if (context === this.#background) this.#background = next;
  }

  /** What was done through the contexts since this was last asked. */
  takeEffects(): ContextEffects | undefined {
    const { attributes, routingNotes } = this;
    const changed = this.#values?.changed;
    if (changed === undefined && attributes === null && routingNotes === null) return undefined;
    if (this.#values !== null) this.#values.changed = undefined;
    this.attributes = null;
    this.routingNotes = null;
    // Their names here are `plugin/key`; the context over there adds the plugin's name itself.
    const prefix = this.#instance.name.length + 1;
    return {
      ...(changed === undefined ? {} : { values: [...changed] }),
      ...(attributes === null
        ? {}
        : { attributes: [...attributes].map(([key, value]) => [key.slice(prefix), value] as const) }),
      ...(routingNotes === null ? {} : { routingNotes: routingNotes.map(({ message }) => message) }),
    };
  }
}
