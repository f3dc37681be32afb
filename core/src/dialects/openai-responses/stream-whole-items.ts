/** Items of a generated stream that have no text of their own: media, and what only this dialect knows. */
import { isJsonObject } from '@bifrost/sdk';
import type { Json, StreamEvent } from '@bifrost/sdk';
import type { LossReport } from '../codec.ts';
import { stringField } from './json-fields.ts';
import { dialect } from './residue.ts';
import type { StreamOutputWriter } from './stream-output-writer.ts';

type EventOf<Type extends StreamEvent['type']> = Extract<StreamEvent, { readonly type: Type }>;

/** An image as it comes in, as an image generation call; other media are reported. */
export function writeMedia(
  writer: StreamOutputWriter,
  event: EventOf<'media-delta'>,
  { newId, report }: { readonly newId: (prefix: string) => string; readonly report: LossReport },
): void {
  if (event.kind !== 'image' || event.source !== undefined) {
    report.add({
      action: 'dropped',
      field: event.kind,
      reason: 'the Responses API streams no such media',
    });
    return;
  }
  const known = writer.parts.get(event.part);
  if (known !== undefined) {
    known.item.template = {
      ...known.item.template,
      result: `${stringField(known.item.template, 'result') ?? ''}${event.data}`,
    };
    return;
  }
  const added = { id: newId('ig'), type: 'image_generation_call', status: 'in_progress', result: null };
  const item = writer.openItem(added);
  item.template = { ...added, result: event.data };
  writer.addPart({
    id: event.part,
    type: 'image_generation_call',
    item,
    index: 0,
    isAnnounced: false,
    isDone: false,
  });
}

/** An item that the dialect itself made and that goes through whole. */
export function writeWholeItem(
  writer: StreamOutputWriter,
  event: EventOf<'server-tool' | 'opaque'>,
  report: LossReport,
): void {
  const { value }: { readonly value: Json } = event;
  if (event.dialect !== dialect || !isJsonObject(value)) {
    report.add({ action: 'dropped', field: '', reason: `only ${event.dialect} knows it` });
    return;
  }
  const id = stringField(value, 'id');
  const announced = [...writer.items.values()].find((item) => id !== undefined && item.template['id'] === id);
  const item = announced ?? writer.openItem(value);
  item.template = value;
  writer.finishItem(item, stringField(value, 'status') ?? 'completed');
}
