import type { BodyFigures } from '../bodies/body-store.ts';
import type { MetricPart } from './metric-part.ts';
import { toMetric } from './series.ts';

const names = {
  held: { name: 'bifrost_request_body_bytes_in_flight', help: 'Bytes of request bodies in memory, by thread.' },
  taken: {
    name: 'bifrost_request_bodies_spooled_total',
    help: 'Large request bodies that were taken in, nearly always into a temporary file.',
  },
  refused: {
    name: 'bifrost_request_bodies_refused_total',
    help: 'Large request bodies that were refused for lack of room.',
  },
  failures: {
    name: 'bifrost_request_body_spool_failures_total',
    help: 'Large request bodies that no temporary file took.',
  },
} as const;

/** The series of one thread's request bodies. */
export function bodySeries({ held, taken, refused, failures }: BodyFigures, thread: string): MetricPart {
  return [
    toMetric(names.held, 'gauge', [{ labels: { thread }, value: held }]),
    toMetric(names.taken, 'counter', [{ labels: {}, value: taken }]),
    toMetric(names.refused, 'counter', [{ labels: {}, value: refused }]),
    toMetric(names.failures, 'counter', [{ labels: {}, value: failures }]),
  ];
}
