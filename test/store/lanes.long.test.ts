// Lives of stores whose namespaces are kept apart: when one of them is deleted its volumes are freed as they are, and not
// a live byte of another moves; where they are mixed, it does. Compaction keeps them apart whatever it does.
import { describe, expect, it } from 'vitest';
import { type Lane, SHARED_LANE } from '../../lib/foundation/lane.ts';
import {
  APART,
  compactAll,
  deleteAll,
  encodeAll,
  keysOf,
  LANES,
  LEAVER,
  lanesOf,
  placesOf,
  putInTurns,
  STAYER,
  storeOf,
  volumesOf,
} from './lanes-world.ts';
import { expectSound } from './recount.ts';

/** Of each namespace: two volumes. */
const FILES = 240;

describe('namespaces that are kept apart', () => {
  it.each([false, true])(
    'have volumes of their own, hot and coded, whatever comes in turns (bulk puts: %s)',
    async (isBulk) => {
      const { p } = await storeOf(`${LEAVER},${STAYER}`, { isBulk });
      const bodies = await putInTurns(p, isBulk ? 60 : 20);
      expect((await volumesOf(p)).map((v) => v.class)).toContain(isBulk ? 'warm' : 'hot');
      expect(await lanesOf(p)).toEqual(APART);
      await encodeAll(p);
      expect((await volumesOf(p)).map((v) => v.class)).not.toContain('hot');
      expect(await lanesOf(p)).toEqual(APART);
      for (const [name, body] of bodies) {
        const [namespace = '', key = ''] = name.split(/\/(.*)/);
        expect(Buffer.compare(await p.frontend.read(namespace, key, 10_000), body)).toBe(0);
      }
      await expectSound(p);
    },
  );

  it('free their volumes as they are when all of one is deleted: no live byte moves', async () => {
    const { p } = await storeOf(`${LEAVER},${STAYER}`);
    await putInTurns(p, FILES);
    await encodeAll(p);
    await compactAll(p);
    const others = [LANES[STAYER], SHARED_LANE] as Lane[];
    const before = await placesOf(p, others);
    expect((await placesOf(p, [LANES[LEAVER] as Lane])).size).toBeGreaterThan(1);
    expect((await volumesOf(p)).filter(({ state }) => state === 'sealed').length).toBeGreaterThan(2);
    await deleteAll(p, LEAVER, keysOf(FILES));
    expect(await compactAll(p)).toBe(0);
    expect((await placesOf(p, [LANES[LEAVER] as Lane])).size).toBe(0);
    expect(await placesOf(p, others)).toEqual(before);
    await expectSound(p);
  });

  it('would have to move what lives if they were mixed', async () => {
    const { p } = await storeOf(null);
    await putInTurns(p, FILES);
    await encodeAll(p);
    await compactAll(p);
    await deleteAll(p, LEAVER, keysOf(FILES));
    expect(await compactAll(p)).toBeGreaterThan(100_000);
  });

  it('stay apart in whatever compaction does', async () => {
    const { p } = await storeOf(`${LEAVER},${STAYER}`);
    for (const seed of [1, 2]) {
      await putInTurns(p, 60, seed);
      await encodeAll(p);
    }
    const gone = keysOf(60).filter((_, i) => i % 3 > 0);
    for (const namespace of Object.keys(LANES)) await deleteAll(p, namespace, gone);
    expect(await compactAll(p)).toBeGreaterThan(10_000);
    expect(await lanesOf(p)).toEqual(APART);
    await expectSound(p);
  });
});
