// A process that works on a store until it is killed: node victim.ts DIR SEED [repair]. It says on stdout what it is about to do and what was
// acknowledged, a line each, written at once, so that the lines before its death are true.
import { writeSync } from 'node:fs';
import { drain } from '../../lib/compaction/do/drain.ts';
import { recover } from '../../lib/engine/upkeep/end-dead-work.ts';
import { openEmbedded } from '../../lib/engine/wire/embedded.ts';
import { isKind } from '../../lib/foundation/errors.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { LiveCoder } from '../../lib/live-coder/live-coder.ts';
import { repairStore } from '../../lib/volume/repair/repair-store.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { bodyOf } from './body.ts';

const NAMES = 200;
const [dir = '', seedText = '0', role] = process.argv.slice(2);
const random = new SeededRandomness(Number(seedText));
const store = await openEmbedded(dir);
const { volumes, frontend, components } = store;
/** Whoever listens may be stopped for a while, as long as the pipe is full: what is said is waited for. */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
    }
  }
}
// Names of its own, so that what it acknowledged is not overwritten by another victim.
const name = (): string => `v${Number(seedText) % 2}/${random.below(NAMES)}`;
let bodies = 0;

async function puts(): Promise<void> {
  const items = new Map<string, string>();
  for (let i = 0; i < 12; i++) items.set(name(), `${seedText}-${bodies++}`);
  for (const [key, body] of items) say(`put ${key} ${body}`);
  const requests = [...items].map(([key, body]) => ({ namespace: 'default', key, body: bodyOf(body) }));
  for await (const outcome of frontend.putAll(requests)) {
    if (outcome.ok) say(`did ${outcome.key} ${items.get(outcome.key)}`);
    else if (!isKind(outcome.error, 'retry', 'conflict')) throw outcome.error;
  }
}

async function deletes(): Promise<void> {
  const keys = [...new Set([name(), name(), name(), name(), name()])];
  for (const key of keys) say(`put ${key} -`);
  for await (const outcome of frontend.deleteAll(keys.map((key) => ({ namespace: 'default', key })))) {
    if (outcome.ok || isKind(outcome.error, 'missing')) say(`did ${outcome.key} -`);
    else if (!isKind(outcome.error, 'retry', 'conflict')) throw outcome.error;
  }
}

const works: readonly (() => Promise<unknown>)[] = [
  puts,
  puts,
  deletes,
  async () => {
    await volumes.open.sealAll('hot');
    await encodeHot(volumes, { force: true, flush: random.below(2) === 0 });
  },
  () => collectGarbage(components),
  async () => {
    await volumes.open.sealAll('warm');
    await drain(volumes, (run, moved) => new LiveCoder(volumes, run, moved), { fillPermilleMax: 700 });
  },
  () => freeTrash(volumes),
  ...(role === 'repair' ? [() => repairStore(volumes), () => repairStore(volumes)] : []),
];

/** Another process was first, or is at work: what was said and not acknowledged is undecided. */
async function attempt(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    if (!isKind(error, 'retry', 'conflict', 'unknown')) throw error;
  }
}

say('ready');
await attempt(() => recover(volumes, frontend));
for (;;) await attempt(works[random.below(works.length)] as () => Promise<unknown>);
