/** A thread that adds and writes as fast as it can; posts how many values it read that nobody has written. */
import { parentPort, workerData } from 'node:worker_threads';
import { openSharedState } from '../open-shared-state.ts';

const { buffer, number, rounds } = workerData as { buffer: SharedArrayBuffer; number: number; rounds: number };
const state = openSharedState(buffer)('p');
let torn = 0;
for (let round = 0; round < rounds; round += 1) {
  state.add('all');
  state.add(`own ${number}`);
  state.add(`spread ${round % 50}`);
  state.set('value', String(number).repeat(100 + ((round * 37) % 2000)));
  const read = state.get('value');
  if (typeof read !== 'string' || new Set(read).size !== 1) torn += 1;
}
parentPort?.postMessage(torn);
