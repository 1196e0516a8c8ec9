// Damage rows keep the time of the first look, belong to a generation that is there, and go only if they are as they were read.
import { describe, expect, it } from 'vitest';
import { volumeId } from '../../lib/foundation/ids.ts';
import { type DamageRow, damageKey } from '../../lib/panda/rows/damage-row.ts';
import type { VolumeRow } from '../../lib/panda/rows/volume-row.ts';
import { createVolume } from '../../lib/volume/open/create-volume.ts';
import { allDamage, clearDamage, type DamageFound, noteDamage, readDamage } from '../../lib/volume/rows/damage.ts';
import { TINY, World } from '../store/harness.ts';

async function start(seed: number) {
  const world = new World(seed, TINY, 4);
  const { components, volumes } = world.start();
  const volume = await createVolume(components, volumes.zones, 'hot');
  return { world, components, volumes, volume };
}

const missingAt = ({ id, generation }: VolumeRow, column: number, part: DamageFound['part']): DamageFound => ({
  volume: id,
  generation,
  column,
  part,
  kind: 'missing',
  reason: 'CHUNK_MISSING',
});

describe('damage rows', () => {
  it('are noted once, keep since when, and follow what is found later', async () => {
    const { world, components, volume } = await start(1);
    const found = [missingAt(volume, 3, 'pack'), missingAt(volume, 2, 7), missingAt(volume, 2, 'dir-00112233aabbccdd')];
    const firstMs = components.clock.nowMs();
    expect(await noteDamage(components, volume, found)).toBe(true);
    world.clock.advance(1000);
    const changed: DamageFound = { ...missingAt(volume, 2, 7), kind: 'wrong', reason: 'CHUNK_MALFORMED' };
    expect(await noteDamage(components, volume, [changed, missingAt(volume, 3, 'pack')])).toBe(true);
    const rows = await readDamage(components, volume.id);
    expect(rows).toHaveLength(3);
    expect(rows).toContainEqual({ ...changed, sinceMs: firstMs });
    expect(rows).toContainEqual({ ...missingAt(volume, 3, 'pack'), sinceMs: firstMs });
    expect(rows).toContainEqual({ ...missingAt(volume, 2, 'dir-00112233aabbccdd'), sinceMs: firstMs });
  });

  it('are written in as many transactions as it takes, and not for a generation that is gone', async () => {
    const { components, volume } = await start(2);
    const many = Array.from({ length: 230 }, (_, i) => missingAt(volume, i % 4, i + 1));
    expect(await noteDamage(components, volume, many)).toBe(true);
    expect(await readDamage(components, volume.id)).toHaveLength(many.length);
    const gone = { id: volume.id, generation: 2, revision: 0 };
    expect(await noteDamage(components, gone, [{ ...missingAt(volume, 0, 'pack'), generation: 2 }])).toBe(false);
    const never = { id: volumeId('00000000000000ff'), generation: 1, revision: 0 };
    const repaired = { id: volume.id, generation: 1, revision: 1 };
    expect(await noteDamage(components, repaired, [missingAt(volume, 0, 'pack')])).toBe(false);
    expect(await noteDamage(components, never, [{ ...missingAt(volume, 0, 1), volume: never.id }])).toBe(false);
    expect(await readDamage(components, volume.id)).toHaveLength(many.length);
  });

  it('of one volume are told from those of another', async () => {
    const { components, volume, volumes } = await start(3);
    const other = await createVolume(components, volumes.zones, 'hot');
    await noteDamage(components, volume, [missingAt(volume, 0, 1)]);
    await noteDamage(components, other, [missingAt(other, 1, 2)]);
    expect(await readDamage(components, volume.id)).toMatchObject([{ column: 0, part: 1 }]);
    expect(await readDamage(components, other.id)).toMatchObject([{ column: 1, part: 2 }]);
    const all: DamageRow[] = [];
    for await (const row of allDamage(components)) all.push(row);
    expect(all).toHaveLength(2);
  });

  it('go when they are as they were read, and stay when somebody has found something else meanwhile', async () => {
    const { components, volume } = await start(4);
    await noteDamage(components, volume, [missingAt(volume, 0, 1), missingAt(volume, 1, 1)]);
    const read = await readDamage(components, volume.id);
    await noteDamage(components, volume, [{ ...missingAt(volume, 0, 1), kind: 'wrong', reason: 'CHUNK_MALFORMED' }]);
    await clearDamage(components, read);
    expect(await readDamage(components, volume.id)).toMatchObject([{ column: 0, part: 1, kind: 'wrong' }]);
    await clearDamage(components, read); // again: nothing happens
  });

  it('with a key that names no object are refused', async () => {
    const { components, volume } = await start(5);
    const key = damageKey(components.settings.cell, missingAt(volume, 0, 'pack'));
    await components.panda.transact([
      { kind: 'put', ...key, sort: `${volume.id}/1/00/what`, attributes: { k: 'missing', a: 1, r: 'CHUNK_MISSING' } },
    ]);
    await expect(readDamage(components, volume.id)).rejects.toMatchObject({ code: 'ROW_MALFORMED' });
  });
});
