/**
 * Loaded into every thread of a program under measurement (`node --require`): tells what the parts of its memory are. Plain
 * JavaScript, as each thread would else load a compiler for it. The main thread answers one line of JSON on the socket
 * `BIFROST_PROBE` for each that it reads: `{"collect": true}` forces a collection in every thread before it looks, `{"trim": true}`
 * has the allocator give back what it can, `{"snapshot": FOLDER}` has each thread write its heap.
 */
const { rmSync } = require('node:fs');
const { createServer } = require('node:net');
const { join } = require('node:path');
const { getHeapStatistics, setFlagsFromString, writeHeapSnapshot } = require('node:v8');
const { runInNewContext } = require('node:vm');
const { BroadcastChannel, isMainThread, threadId, threadName } = require('node:worker_threads');

/** For threads to answer; one that is ending or stands still is left out. */
const answerWithinMs = 10_000;
/** A thread that was just started may not have heard: it is over too when none has answered for so long. */
const quietMs = 3000;
const pollMs = 50;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc');

function obey(order) {
  // What finalizers let go is garbage only then.
  if (order.collect) for (let n = 0; n < 3; n += 1) collect();
  // Gives the free pages of the heap back as well.
  if (order.trim) collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  if (order.snapshot) writeHeapSnapshot(join(order.snapshot, `${threadId}.heapsnapshot`));
  const { used_heap_size: used, total_heap_size: total, external_memory: external } = getHeapStatistics();
  return { threadId, name: isMainThread ? 'supervisor' : threadName, used, total, external };
}

const orders = new BroadcastChannel('bifrost-memory-orders');
const answers = new BroadcastChannel('bifrost-memory-answers');
orders.unref();
answers.unref();

if (isMainThread) answerOnSocket(process.env.BIFROST_PROBE);
else orders.onmessage = ({ data }) => answers.postMessage({ id: data.id, thread: obey(data.order) });
// A listener makes them hold the thread again.
orders.unref();
answers.unref();

function answerOnSocket(path) {
  const allocator = openAllocator();
  const asked = new Map();
  const workers = new Set();
  process.on('worker', (worker) => {
    workers.add(worker);
    worker.once('exit', () => workers.delete(worker));
  });
  answers.onmessage = ({ data }) => asked.get(data.id)?.push(data.thread);
  let lastId = 0;
  const ask = async (order) => {
    const id = ++lastId;
    const threads = [];
    asked.set(id, threads);
    orders.postMessage({ id, order });
    const own = obey(order);
    const startedAt = performance.now();
    let [seen, seenAt] = [0, startedAt];
    while (threads.length < workers.size) {
      await new Promise((resolve) => setTimeout(resolve, pollMs));
      const now = performance.now();
      if (threads.length > seen) [seen, seenAt] = [threads.length, now];
      else if (now - seenAt > quietMs || now - startedAt > answerWithinMs) break;
    }
    asked.delete(id);
    if (order.trim) allocator?.trim();
    return { resident: process.memoryUsage.rss(), threads: [own, ...threads], allocator: allocator?.look() };
  };
  const answer = (socket, seen) => socket.write(`${JSON.stringify(seen)}\n`);
  const server = createServer((socket) => {
    socket.unref();
    socket.on('error', () => socket.destroy());
    socket.on('data', (line) => void ask(JSON.parse(line.toString())).then((seen) => answer(socket, seen)));
  });
  // A program that was killed leaves its socket.
  rmSync(path, { force: true });
  server.listen(path).unref();
}

/** glibc's own figures; undefined with another C library or processor. */
function openAllocator() {
  // How a structure is returned differs from processor to processor.
  if (process.arch !== 'x64') return undefined;
  try {
    const { functions } = require('node:ffi').dlopen(null, {
      mallinfo2: { arguments: ['pointer'], return: 'pointer' },
      malloc_trim: { arguments: ['u64'], return: 'i32' },
    });
    return {
      look() {
        const info = new BigUint64Array(10);
        functions.mallinfo2(info); // the C compiler has the caller say where a structure is to be returned
        const [, , , , mapped, , , used, free] = Array.from(info, Number);
        return { mapped, used, free };
      },
      trim: () => functions.malloc_trim(0n),
    };
  } catch {
    return undefined;
  }
}
