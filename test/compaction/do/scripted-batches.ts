// Rows of sealed volumes without a byte on a drive, and a port that carries runs out as a script says: for what is decided above it.
import type { Batches } from '../../../lib/compaction/do/batches.ts';
import { endJournal, readJournal } from '../../../lib/compaction/run/journal.ts';
import type { JournalRow } from '../../../lib/compaction/run/journal-row.ts';
import { NO_OUTCOME, type Outcome } from '../../../lib/compaction/run/reports.ts';
import type { BucketId, RunId, VolumeId } from '../../../lib/foundation/ids.ts';
import type { Attributes, Write } from '../../../lib/panda/panda.ts';
import { bucketAttributes, bucketKey } from '../../../lib/panda/rows/bucket-row.ts';
import { newVolumeAttributes, volumeKey } from '../../../lib/panda/rows/volume-row.ts';
import { type Process, World } from '../../store/harness.ts';
import { SMALL } from '../acting-world.ts';

export const hex = (n: number): string => n.toString(16).padStart(16, '0');
export const CAPACITY = 128 * 1024;

/** Volume n is as full as `fills[n]` says, of four buckets; `changes` of its row. */
export async function sealedRows(fills: readonly number[], changes: Attributes = {}) {
  const world = new World(6, SMALL, 6);
  const p = world.start();
  const extents = [0, 1, 2].map((drive) => ({ drive, zone: 1, zoneGeneration: 1 }));
  for (const [v, fill] of fills.entries()) {
    const id = hex(v) as VolumeId;
    const buckets = [0, 1, 2, 3].map((n) => hex(v * 1000 + n) as BucketId);
    const liveBytes = Math.floor((fill * CAPACITY) / buckets.length);
    const base = newVolumeAttributes({ class: 'warm', codec: 'xor-2-1', lane: 0, extents, createdAtMs: 0, token: 1 });
    const full = [CAPACITY / 2, CAPACITY / 2, CAPACITY / 2];
    await world.panda.transact([
      {
        kind: 'put',
        ...volumeKey(SMALL.cell, id),
        attributes: { ...base, s: 'sealed', z: 0, u: full, b: new Set<string>(buckets), ...changes },
      },
      ...buckets.map((bucket): Write => {
        const row = { volume: id, move: 0, seq: 0, token: 0, usedBytes: CAPACITY, liveBytes, slots: 8, createdAtMs: 0 };
        return { kind: 'put', ...bucketKey(SMALL.cell, bucket), attributes: bucketAttributes(row) };
      }),
    ]);
  }
  const set = (v: number, attributes: Attributes): Promise<void> =>
    world.panda.transact([{ kind: 'update', ...volumeKey(SMALL.cell, hex(v) as VolumeId), set: attributes }]);
  return { world, p, set };
}

export type Script = (journal: JournalRow, signal: AbortSignal) => Partial<Outcome> | Promise<Partial<Outcome>>;

/** Each run comes to what the script says; its journal is gone then. */
export function scripted(p: Process, script: Script, runsAtOnce = 1) {
  const calls: string[] = [];
  let named = 0;
  const batches: Batches = {
    store: p.volumes,
    runsAtOnce,
    newRun: (strategy) => {
      named += 1;
      return `${strategy}/${p.components.owner}/${named}` as RunId;
    },
    carry: async (run, signal) => {
      const journal = (await readJournal(p.components, run)) as JournalRow;
      calls.push(`carry ${journal.task.name} as ${run}`);
      const outcome = await script(journal, signal);
      await endJournal(p.components, journal);
      return { ...NO_OUTCOME, ...outcome };
    },
    free: async () => {
      calls.push('free');
      return { freedVolumes: 1, freedZones: 3 };
    },
  };
  return { batches, calls };
}
