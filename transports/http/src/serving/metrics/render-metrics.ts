import { AggregatorRegistry, Gauge, Registry } from 'prom-client';
import type { Gathered } from './gatherer.ts';

/** Prometheus text of the parts of all threads added up, with the figures of the process as a whole. */
export async function renderMetrics({ parts, threads }: Gathered): Promise<string> {
  const own = new Registry();
  const gauge = (name: string, help: string, value: number): void => {
    new Gauge({ name, help, registers: [own] }).set(value);
  };
  const cpu = process.cpuUsage();
  gauge('process_resident_memory_bytes', 'Resident memory of the process, all threads.', process.memoryUsage.rss());
  gauge('process_cpu_seconds', 'CPU time of the process, all threads.', (cpu.user + cpu.system) / 1e6);
  gauge('process_start_time_seconds', 'When the process started.', Date.now() / 1000 - process.uptime());
  gauge('bifrost_serving_threads', 'Threads that serve or are about to.', threads);
  const sum = AggregatorRegistry.aggregate(parts.map((part) => [...part]));
  return (await sum.metrics()) + '\n' + (await own.metrics());
}

export const metricsContentType = 'text/plain; version=0.0.4; charset=utf-8';
