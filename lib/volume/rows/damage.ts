// Damage rows: noted when an object that must exist is not as it must be, removed when a later look finds it sound.
// Nothing depends on them being complete; what they say was true when somebody looked.
import { isKind } from '../../foundation/errors.ts';
import type { VolumeId } from '../../foundation/ids.ts';
import { ROWS_PER_TRANSACTION } from '../../limits/panda.ts';
import { CONFLICT_ATTEMPTS_MAX } from '../../limits/volume.ts';
import type { Write } from '../../panda/panda.ts';
import {
  type DamagePlace,
  type DamageRow,
  damageAttributes,
  damageFromRow,
  damageIsAsRead,
  damageKey,
  damagePartition,
  damagePrefix,
} from '../../panda/rows/damage-row.ts';
import { type BadRowSink, readOrTell } from '../../panda/rows/row-reader.ts';
import { generationIs, revisionIs } from '../../panda/rows/volume-changes.ts';
import { isOfRevision, type VolumeRow, volumeKey } from '../../panda/rows/volume-row.ts';
import type { Components } from './components.ts';
import { rowsOf } from './read-rows.ts';
import { transact } from './transact.ts';

type Ports = Pick<Components, 'panda' | 'clock' | 'randomness' | 'settings'>;

/** What was found; since when is decided here. */
export type DamageFound = Omit<DamageRow, 'sinceMs'>;

/** All of a volume, of older generations too. Rows that cannot be read as below. */
export async function readDamage(components: Ports, volume: VolumeId, bad?: BadRowSink): Promise<DamageRow[]> {
  const prefix = damagePrefix(volume);
  const rows: DamageRow[] = [];
  for await (const row of damageIn(components, bad, prefix, `${prefix}~`)) rows.push(row);
  return rows;
}

/** All of the cell, volume by volume. What cannot be read is told to `bad` and passed over; without it, thrown. */
export const allDamage = (components: Ports, bad?: BadRowSink): AsyncGenerator<DamageRow> => damageIn(components, bad);

async function* damageIn({ panda, settings }: Ports, bad?: BadRowSink, from?: string, to?: string) {
  for await (const row of rowsOf(panda, damagePartition(settings.cell), from, to)) {
    const one = bad === undefined ? damageFromRow(row) : readOrTell(row, damageFromRow, bad);
    if (one !== undefined) yield one;
  }
}

export async function listDamage(components: Ports, bad?: BadRowSink): Promise<DamageRow[]> {
  const rows: DamageRow[] = [];
  for await (const row of allDamage(components, bad)) rows.push(row);
  return rows;
}

/**
 * Notes what was found in one generation of a volume; a row that is there keeps its time. False, and nothing noted, if
 * the volume has other extents by now: whoever moved or repaired it has left the damage behind.
 */
export async function noteDamage(
  components: Ports,
  { id, generation, revision }: Pick<VolumeRow, 'id' | 'generation' | 'revision'>,
  found: readonly DamageFound[],
): Promise<boolean> {
  const volume = volumeKey(components.settings.cell, id);
  for (let attempt = 0; ; attempt++) {
    const news = await newsOf(components, id, found);
    try {
      for (let at = 0; at < news.length; at += ROWS_PER_TRANSACTION) {
        const part = news.slice(at, at + ROWS_PER_TRANSACTION);
        const inGeneration: Write = { kind: 'check', ...volume, if: [generationIs(generation), revisionIs(revision)] };
        await transact(components, [inGeneration, ...part], async () => false);
      }
      return true;
    } catch (error) {
      if (!isKind(error, 'conflict') || attempt >= CONFLICT_ATTEMPTS_MAX) throw error;
      if (!isOfRevision(await components.panda.get(volume), generation, revision)) return false;
    }
  }
}

/** Puts for what is not noted yet, or noted otherwise. */
async function newsOf(components: Ports, id: VolumeId, found: readonly DamageFound[]): Promise<Write[]> {
  const sortOf = (place: DamagePlace): string => damageKey(components.settings.cell, place).sort;
  const known = new Map((await readDamage(components, id)).map((row) => [sortOf(row), row]));
  const nowMs = Math.max(0, components.clock.nowMs());
  return found.flatMap((fault): Write[] => {
    const before = known.get(sortOf(fault));
    if (before?.kind === fault.kind && before.reason === fault.reason) return [];
    const attributes = damageAttributes({ ...fault, sinceMs: before?.sinceMs ?? nowMs });
    return [{ kind: 'put', ...damageKey(components.settings.cell, fault), attributes, if: damageIsAsRead(before) }];
  });
}

/** Takes rows away that a look has found to be true no longer; one that somebody changed since it was read stays. */
export async function clearDamage(components: Ports, rows: readonly DamageRow[]): Promise<void> {
  for (const row of rows) {
    const gone: Write = { kind: 'delete', ...damageKey(components.settings.cell, row), if: damageIsAsRead(row) };
    try {
      await transact(components, [gone], async () => false);
    } catch (error) {
      if (!isKind(error, 'conflict')) throw error;
    }
  }
}
