// What a look makes of damage that was noted before: what a listing refutes, what only reading does, and what neither can say anything of.
import { describe, expect, it } from 'vitest';
import { driveBusy } from '../../../lib/drive/errors.ts';
import { DAMAGE_KINDS } from '../../../lib/panda/rows/damage-row.ts';
import { lookAtVolume } from '../../../lib/volume/check/look.ts';
import type { LookOptions } from '../../../lib/volume/check/part-look.ts';
import { type DamageFound, noteDamage } from '../../../lib/volume/rows/damage.ts';
import { flipped } from '../planted.ts';
import { ReadingWorld, type Stored } from '../reading-world.ts';

/** Two groups; their chunks are on columns 0 and 2, and 1 and 2. The pack is on 1 and 2. */
async function sealed() {
  const world = new ReadingWorld({ warm: 'xor-2-1' });
  const stored = [...(await world.append([300])), ...(await world.append([40]))];
  await world.store.open.sealAll('warm');
  const volume = await world.volumeOf(stored[0] as Stored);
  const note = (column: number, part: DamageFound['part'], kind: DamageFound['kind'], generation = 1) =>
    noteDamage(world.components, volume, [
      { volume: volume.id, generation, column, part, kind, reason: 'CHUNK_MALFORMED' },
    ]);
  const look = async (options: LookOptions = {}) => {
    const seen = (await lookAtVolume(world.restart(), volume, options)) ?? expect.fail('no look');
    const shown = (of: readonly DamageFound[]) =>
      of.map(({ column, part, kind }) => `${column}/${part} ${kind}`).sort();
    const { damage, found, healed, spare, unread } = seen;
    return { damage: shown(damage), found: shown(found), healed: shown(healed), spare, unread };
  };
  return { world, volume, note, look };
}
const SOUND = { damage: [], found: [], healed: [], spare: 1, unread: 0 };

describe('damage of a chunk that is there', () => {
  it.each(DAMAGE_KINDS)('is refuted by reading it; a listing refutes only what it shows (%s)', async (kind) => {
    const { note, look } = await sealed();
    await note(0, 1, kind);
    const stays = kind === 'wrong' || kind === 'foreign';
    const noted = [`0/1 ${kind}`];
    const listed = stays ? { ...SOUND, damage: noted, spare: 0 } : { ...SOUND, healed: noted };
    expect(await look()).toEqual(listed);
    expect(await look({ readColumns: new Set([1]) })).toEqual(listed);
    expect(await look({ read: true })).toEqual({ ...SOUND, healed: noted });
  });

  it('of one that is gone by now is what is found now', async () => {
    const { world, volume, note, look } = await sealed();
    await note(0, 1, 'wrong');
    await world.tamper(volume, 0, () => undefined);
    expect(await look()).toEqual({ ...SOUND, damage: ['0/1 missing'], found: ['0/1 missing'], spare: 0 });
  });

  it('holds where its drive does not give it now, and costs as much', async () => {
    const { world, volume, note, look } = await sealed();
    await note(0, 1, 'short');
    const { read } = world.driveOf(volume, 0);
    world.driveOf(volume, 0).read = () => Promise.reject(driveBusy('d', 'not now'));
    expect(await look({ read: true })).toEqual({ ...SOUND, damage: ['0/1 short'], spare: 0, unread: 1 });
    world.driveOf(volume, 0).read = read;
    world.driveOf(volume, 0).state = 'lost';
    expect(await look({ read: true })).toEqual({ ...SOUND, damage: ['0/1 short'], spare: 0 });
  });

  it('that nobody noted costs a column as long as that cannot be read', async () => {
    const { world, volume, look } = await sealed();
    world.driveOf(volume, 2).read = () => Promise.reject(driveBusy('d', 'not now'));
    expect(await look({ read: true })).toEqual({ ...SOUND, spare: 0, unread: 3 });
  });
});

describe('damage of what need not be there', () => {
  it('is over once all that must be was looked at, and its column was listed', async () => {
    const { world, volume, note, look } = await sealed();
    await note(1, 9, 'missing');
    const noted = { ...SOUND, healed: ['1/9 missing'] };
    expect(await look()).toEqual(noted);
    expect(await look({ read: true })).toEqual(noted);
    for (const part of [{ afterSeq: 1 }, { skipDirectories: true }, { isOver: () => true }])
      expect(await look(part)).toEqual(SOUND);
    world.driveOf(volume, 1).state = 'lost';
    expect(await look()).toEqual({ ...SOUND, spare: 0 });
  });

  it('of another generation is over in any case', async () => {
    const { note, look } = await sealed();
    await note(0, 1, 'wrong', 7);
    for (const options of [{}, { afterSeq: 1 }])
      expect(await look(options)).toEqual({ ...SOUND, healed: ['0/1 wrong'] });
  });

  it('stays where no directory tells what must be there', async () => {
    const { world, volume, note, look } = await sealed();
    await note(1, 9, 'missing');
    for (const column of [1, 2])
      await world.tamper(volume, column, (bytes, name) =>
        name === 'dirs' ? flipped(bytes, bytes.length - 5, 1) : bytes,
      );
    const wrong = ['1/pack wrong', '2/pack wrong'];
    expect(await look()).toEqual({ ...SOUND, damage: wrong, found: wrong, spare: -1 });
  });
});
