// How damage rows are read, noted and taken away: call by call, and what a change by somebody else in between leads to.
import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../../lib/foundation/clock.ts';
import { retryLater } from '../../../lib/foundation/errors.ts';
import type { VolumeId } from '../../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { ROWS_PER_TRANSACTION } from '../../../lib/limits/panda.ts';
import { CONFLICT_ATTEMPTS_MAX } from '../../../lib/limits/volume.ts';
import { PandaConflict } from '../../../lib/panda/conflict.ts';
import { type DamageRow, damageAttributes, damageKey, damagePartition } from '../../../lib/panda/rows/damage-row.ts';
import { volumeKey } from '../../../lib/panda/rows/volume-row.ts';
import {
  allDamage,
  clearDamage,
  type DamageFound,
  listDamage,
  noteDamage,
  readDamage,
} from '../../../lib/volume/rows/damage.ts';
import { TINY } from '../../store/harness.ts';
import { ToldPanda } from './told-panda.ts';

const CELL = TINY.cell;
const NOW_MS = 5000;
const [FIRST, SECOND] = ['0000000000000001', '0000000000000002'] as [VolumeId, VolumeId];
const AS_NOTED = { id: FIRST, generation: 2, revision: 3 };
const PARTITION = damagePartition(CELL);

const at = (column: number, part: DamageFound['part'] = 7, volume = FIRST): DamageFound => ({
  volume,
  generation: 2,
  column,
  part,
  kind: 'missing',
  reason: 'CHUNK_MISSING',
});

async function storeOf(nowMs = NOW_MS) {
  const panda = new ToldPanda();
  const components = { panda, clock: new SimulatedClock(nowMs), randomness: new SeededRandomness(1), settings: TINY };
  const volume = (g: number, rv?: number): Promise<void> =>
    panda.plant(volumeKey(CELL, FIRST), { g, ...(rv === undefined ? {} : { rv }) });
  const plant = (row: DamageRow): Promise<void> => panda.plant(damageKey(CELL, row), damageAttributes(row));
  await volume(2, 3);
  return { panda, components, volume, plant };
}

const sortOf = (found: DamageFound): string => damageKey(CELL, found).sort;
const VOLUME = `check ${volumeKey(CELL, FIRST).partition} ${FIRST}`;
const noteOf = (...found: DamageFound[]): string =>
  `write ${[VOLUME, ...found.map((one) => `put ${PARTITION} ${sortOf(one)}`)].join(', ')}`;

describe('damage that is noted', () => {
  it('is written for the generation and revision it was found in, all that is new of it at once', async () => {
    const { panda, components } = await storeOf();
    expect(await noteDamage(components, AS_NOTED, [at(0), at(1)])).toBe(true);
    expect(panda.taken()).toEqual([`query ${PARTITION}`, noteOf(at(0), at(1))]);
    const known = { a: NOW_MS, k: 'missing', r: 'CHUNK_MISSING' };
    expect(panda.rowsIn(PARTITION)).toEqual({ [sortOf(at(0))]: known, [sortOf(at(1))]: known });
    // What is known already is not written again, and of nothing new nothing is.
    expect(await noteDamage(components, AS_NOTED, [at(0), at(2), at(1)])).toBe(true);
    expect(panda.taken()).toEqual([`query ${PARTITION}`, noteOf(at(2))]);
    expect(await noteDamage(components, AS_NOTED, [at(2)])).toBe(true);
    expect(panda.taken()).toEqual([`query ${PARTITION}`]);
    expect(await noteDamage(components, AS_NOTED, [])).toBe(true);
  });

  it('anew, because it is of another kind or for another reason, keeps its time', async () => {
    const { panda, components, plant } = await storeOf();
    await plant({ ...at(0), sinceMs: 11 });
    await plant({ ...at(1), sinceMs: 12 });
    const wrong = { ...at(0), kind: 'wrong' as const, reason: 'CHUNK_MISSING' };
    const other = { ...at(1), reason: 'CHUNK_VERSION' };
    await noteDamage(components, AS_NOTED, [wrong, other]);
    expect(panda.rowsIn(PARTITION)).toEqual({
      [sortOf(at(0))]: { a: 11, k: 'wrong', r: 'CHUNK_MISSING' },
      [sortOf(at(1))]: { a: 12, k: 'missing', r: 'CHUNK_VERSION' },
    });
  });

  it('has a time that is none before 1970', async () => {
    const { panda, components } = await storeOf(-7);
    await noteDamage(components, AS_NOTED, [at(0)]);
    expect(panda.rowsIn(PARTITION)).toMatchObject({ [sortOf(at(0))]: { a: 0 } });
  });

  it.each([
    [ROWS_PER_TRANSACTION, [ROWS_PER_TRANSACTION]],
    [ROWS_PER_TRANSACTION + 1, [ROWS_PER_TRANSACTION, 1]],
  ])('in %i places is written by so many at once', async (count, parts) => {
    const { panda, components } = await storeOf();
    const found = Array.from({ length: count }, (_, i) => at(0, i + 1));
    await noteDamage(components, AS_NOTED, found);
    const [, ...writes] = panda.taken();
    expect(writes.map((call) => call.split(' put ').length - 1)).toEqual(parts);
    expect(writes.every((call) => call.startsWith(`write ${VOLUME}, put`))).toBe(true);
    expect(Object.keys(panda.rowsIn(PARTITION))).toHaveLength(count);
  });

  it('is noted anew if somebody notes it meanwhile, as long as the volume is the same', async () => {
    const { panda, components, plant } = await storeOf();
    panda.before = async (call) => {
      if (call.startsWith('write')) await plant({ ...at(0), sinceMs: 17 });
      panda.before = call.startsWith('write') ? undefined : panda.before;
    };
    const wrong = { ...at(0), kind: 'wrong' as const };
    expect(await noteDamage(components, AS_NOTED, [wrong])).toBe(true);
    const { partition } = volumeKey(CELL, FIRST);
    const once = [`query ${PARTITION}`, noteOf(at(0))];
    expect(panda.taken()).toEqual([...once, `get ${partition} ${FIRST}`, ...once]);
    expect(panda.rowsIn(PARTITION)).toMatchObject({ [sortOf(at(0))]: { a: 17, k: 'wrong' } });
  });

  it.each([
    ['generation', 3, 3],
    ['revision', 2, 4],
    ['revision, which it had none of', 2, undefined],
  ])('is left out if the volume has another %s by now', async (_, generation, revision) => {
    const { panda, components, volume } = await storeOf();
    await volume(generation, revision);
    expect(await noteDamage(components, AS_NOTED, [at(0)])).toBe(false);
    expect(panda.rowsIn(PARTITION)).toEqual({});
  });

  it('is given up after so many conflicts, and at once for any other error', async () => {
    const { panda, components } = await storeOf();
    const refused = new PandaConflict([1]);
    panda.answers = Array.from({ length: 50 }, () => refused);
    await expect(noteDamage(components, AS_NOTED, [at(0)])).rejects.toBe(refused);
    expect(panda.taken().filter((call) => call.startsWith('write'))).toHaveLength(CONFLICT_ATTEMPTS_MAX + 1);
    const full = retryLater('PANDA_FULL', 'full');
    panda.answers = [full];
    await expect(noteDamage(components, AS_NOTED, [at(0)])).rejects.toBe(full);
    expect(panda.taken()).toHaveLength(2);
  });

  it('whose answer is lost is written again', async () => {
    const { panda, components } = await storeOf();
    panda.answers = ['undone'];
    expect(await noteDamage(components, AS_NOTED, [at(0)])).toBe(true);
    expect(Object.keys(panda.rowsIn(PARTITION))).toHaveLength(1);
  });
});

describe('damage rows', () => {
  const bad = async ({ panda }: Awaited<ReturnType<typeof storeOf>>) => {
    const sort = `${FIRST}/2/01/what`;
    await panda.plant({ partition: PARTITION, sort }, { a: 1, k: 'missing', r: 'CHUNK_MISSING' });
    return sort;
  };

  it('that cannot be read are told of where somebody listens, and come out where nobody does', async () => {
    const store = await storeOf();
    const { components, plant } = store;
    const sort = await bad(store);
    await plant({ ...at(0), sinceMs: 1 });
    await plant({ ...at(2), sinceMs: 2 });
    await plant({ ...at(0, 'pack', SECOND), sinceMs: 3 });
    const told: string[] = [];
    const sink = (row: { readonly sort: string }): void => void told.push(row.sort);
    const own = [
      { ...at(0), sinceMs: 1 },
      { ...at(2), sinceMs: 2 },
    ];
    expect(await readDamage(components, FIRST, sink)).toEqual(own);
    expect(await listDamage(components, sink)).toEqual([...own, { ...at(0, 'pack', SECOND), sinceMs: 3 }]);
    expect(told).toEqual([sort, sort]);
    await expect(readDamage(components, FIRST)).rejects.toMatchObject({ code: 'ROW_MALFORMED' });
    await expect(listDamage(components)).rejects.toMatchObject({ code: 'ROW_MALFORMED' });
    expect(await readDamage(components, SECOND)).toHaveLength(1);
    const all = [];
    for await (const row of allDamage(components, sink)) all.push(row);
    expect(all).toHaveLength(3);
  });

  it('are taken away one by one, as they were read; one that has changed stays, and the rest go on', async () => {
    const { panda, components, plant } = await storeOf();
    const rows = [0, 1, 2].map((column) => ({ ...at(column), sinceMs: 5 }));
    for (const row of rows) await plant(row);
    await plant({ ...at(0), sinceMs: 6 });
    panda.answers = ['sound', 'undone'];
    await clearDamage(components, rows);
    const gone = rows.map((row) => `write delete ${PARTITION} ${sortOf(row)}`);
    expect(panda.taken()).toEqual([gone[0], gone[1], gone[1], gone[2]]);
    expect(Object.keys(panda.rowsIn(PARTITION))).toEqual([sortOf(at(0))]);
    const full = retryLater('PANDA_FULL', 'full');
    panda.answers = [full];
    await expect(clearDamage(components, rows)).rejects.toBe(full);
    expect(panda.taken()).toHaveLength(1);
  });
});
