// What a store does, each small enough to be done again for every call it makes.
import { expect } from 'vitest';
import { changeOperating, readOperating } from '../../lib/compaction/run/operating-row.ts';
import { readThreshold, writeThreshold } from '../../lib/compaction/threshold/row.ts';
import { recover } from '../../lib/engine/upkeep/end-dead-work.ts';
import type { SimulatedClock } from '../../lib/foundation/clock.ts';
import { HOUR_MS } from '../../lib/foundation/durations.ts';
import { Crash, scriptedPlan } from '../../lib/foundation/faults.ts';
import { newStoreId } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { KekRing } from '../../lib/frontend/kek-ring.ts';
import { abortPartUpload, beginPartUpload, finishPartUpload, putPart } from '../../lib/frontend/upload-parts.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { expireRemoved } from '../../lib/gc/expire-removed.ts';
import { blocksByKekVersion, rewrapKeys } from '../../lib/gc/rewrap-keys.ts';
import type { KekVersion } from '../../lib/keys/keys.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { STORE_FORMAT, storeAttributes, storeKey } from '../../lib/panda/rows/store-row.ts';
import { repairStore } from '../../lib/volume/repair/repair-store.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { raiseStoreFormat } from '../../lib/volume/rows/store-format.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { deleteFiles, filesOf, putFiles, SMALL } from '../compaction/acting-world.ts';
import { SCENARIOS } from '../compaction/crash-scenarios.ts';
import { mark } from '../repair/drives.ts';
import { Model } from '../store/crash.ts';
import { FixedKeks, type Process, World } from '../store/harness.ts';
import { expectSound } from '../store/recount.ts';

export interface UseCase {
  readonly prepare: () => Promise<{ readonly world: World; readonly model: Model }>;
  /** What it returns is the same whenever it is done. */
  readonly act: (p: Process, model: Model) => Promise<unknown>;
}

/** Once whoever comes next has ended what was left: all adds up. `model`: it is also what was asked for. */
export async function expectRecovered(world: World, model: Model | undefined): Promise<void> {
  const next = world.start({ othersDead: true });
  await recover(next.volumes, next.frontend, { sweep: true });
  await model?.expectIn(next);
  await expectSound(next);
}

const SEED = 11;
const KIB = 1024;
const LONG = new SeededRandomness(5).bytes(50 * KIB);
const DEFAULT = { namespace: 'default' };

async function storeWith(count: number, settings = SMALL): Promise<{ world: World; model: Model }> {
  const world = new World(SEED, settings, 6);
  const model = new Model();
  await putFiles(world.start(), model, filesOf(SEED, count, 1800));
  return { world, model };
}

/** The same key under a second number. */
class RotatedKeks extends FixedKeks {
  override async versions(): Promise<readonly KekVersion[]> {
    return [
      { version: 1, createdAtMs: 0, state: 'previous' },
      { version: 2, createdAtMs: 1, state: 'current' },
    ];
  }
}

async function encoded(p: Process): Promise<unknown> {
  await p.volumes.open.sealAll('hot');
  const encoded = await encodeHot(p.volumes, { force: true, flush: true });
  await p.volumes.open.sealAll('warm');
  return [encoded, await freeTrash(p.volumes)];
}

/** A put that died where its transaction was to publish what it had stored. */
async function withDeadPut(): Promise<{ world: World; model: Model }> {
  const made = await storeWith(4);
  let isOver = false;
  const plan = scriptedPlan((_, detail) => {
    isOver ||= detail.includes(' object/');
    return isOver ? 'before' : 'none';
  });
  const files = new Map([...filesOf(SEED + 1, 4, 900), ['long', LONG]]);
  for (const [key, body] of files) made.model.begin(key, body);
  const { frontend } = made.world.start({ plan });
  for (const [key, body] of files)
    await frontend.put({ ...DEFAULT, key, body }).catch((error: unknown) => expect(error).toBeInstanceOf(Crash));
  return made;
}

/** A warm volume on a drive that is to be emptied, with some of its objects deleted. */
async function onDrainingDrive(): Promise<{ world: World; model: Model }> {
  const made = await storeWith(12, { ...SMALL, trashGraceMs: 0 });
  await encoded(made.world.start());
  const volumes = await listVolumes(made.world.panda, 'c0');
  await mark(made.world, volumes.find((volume) => volume.class === 'warm')?.extents[1]?.drive ?? 0, 'draining');
  return made;
}

export const USE_CASES: Readonly<Record<string, UseCase>> = {
  ...SCENARIOS,
  // Not a batch of plain writes: what they are when an answer is lost is told in late-puts.test.ts.
  'puts, one after the other: small, long, overwriting and known objects': {
    prepare: () => storeWith(6),
    act: async (p, model) => {
      const known = model.there.get(`f/${SEED}-1`) as Uint8Array;
      const files = filesOf(SEED + 1, 2, 900)
        .set(`f/${SEED}-0`, new Uint8Array(700).fill(3))
        .set('same', known);
      for (const [key, body] of files.set('long', LONG)) {
        await p.frontend.put({ ...DEFAULT, key, body });
        model.put(key, body);
      }
    },
  },
  'a delete, of short and long objects': {
    prepare: async () => {
      const made = await storeWith(6);
      await putFiles(made.world.start(), made.model, new Map([['long', LONG]]));
      return made;
    },
    act: async (p, model) => {
      await deleteFiles(p, model, ['long', `f/${SEED}-2`, `f/${SEED}-3`]);
      return [...model.undecided.keys()];
    },
  },
  GC: {
    prepare: async () => {
      const made = await storeWith(24);
      await deleteFiles(made.world.start(), made.model, [...made.model.there.keys()].slice(0, 12));
      return made;
    },
    act: (p) => collectGarbage(p.components),
  },
  'encode, with the hot volumes freed': { prepare: () => storeWith(16), act: encoded },
  'a recovery of a dead put': {
    prepare: withDeadPut,
    act: (p) => recover(p.volumes, p.frontend, { sweep: true }),
  },
  'a repair of a drive that is draining': {
    prepare: onDrainingDrive,
    act: async (p) => {
      const { writtenBytes: _, ...report } = await repairStore(p.volumes);
      return report;
    },
  },
  'keys that are wrapped anew': {
    prepare: () => storeWith(8),
    act: async ({ components }) => {
      const report = await rewrapKeys({ ...components, keks: new RotatedKeks(SEED) });
      return { ...report, blocks: [...(await blocksByKekVersion(components))] };
    },
  },
  'what is set of the whole store: operating settings, the threshold, the format': {
    prepare: async () => {
      const world = new World(SEED, SMALL, 6);
      const row = { storeId: newStoreId(new SeededRandomness(SEED)), settings: SMALL, drives: [], createdAtMs: 0 };
      const older = { ...storeAttributes(row), f: STORE_FORMAT - 1 };
      await world.panda.transact([{ kind: 'put', ...storeKey, attributes: older }]);
      return { world, model: new Model() };
    },
    act: async ({ components }) => {
      const { panda } = components;
      const set: unknown[] = [];
      for (const runsAtOnce of [3, 4])
        set.push(
          await changeOperating(components, (before) => ({ ...before, runsAtOnce })),
          await readOperating(components),
        );
      for (const threshold of [0.2, 0.6]) {
        const before = await readThreshold(components);
        set.push(
          await writeThreshold(components, before, { ...before.state, threshold }),
          await readThreshold(components),
        );
      }
      await raiseStoreFormat(components);
      return [...set, (await panda.get(storeKey))?.attributes['f']];
    },
  },
  'an upload in parts, one that is given up, and a copy': {
    prepare: () => storeWith(2),
    act: async (p, model) => {
      const keks = new KekRing(p.components);
      const upload = await beginPartUpload(p.components, 'default', 'long');
      await putPart(p.volumes, keks, { upload, offset: 40 * KIB, body: LONG.subarray(40 * KIB) });
      await putPart(p.volumes, keks, { upload, offset: 0, body: LONG.subarray(0, 40 * KIB) });
      await finishPartUpload(p.volumes, { upload, ...DEFAULT, key: 'long', sizeBytes: LONG.length });
      model.put('long', LONG);
      const never = await beginPartUpload(p.components, 'default', 'never');
      await putPart(p.volumes, keks, { upload: never, offset: 0, body: LONG.subarray(0, 5 * KIB) });
      await abortPartUpload(p.components, never);
      await p.frontend.compose({ ...DEFAULT, key: 'copy', sources: [{ ...DEFAULT, key: 'long' }] });
      model.put('copy', LONG);
    },
  },
  'what is deleted, restored, and deleted for good': {
    prepare: async () => {
      const made = await storeWith(3, { ...SMALL, deleteGraceMs: HOUR_MS });
      await putFiles(made.world.start(), made.model, new Map([['long', LONG]]));
      return made;
    },
    act: async (p, model) => {
      for (const key of ['long', `f/${SEED}-1`]) {
        await p.frontend.delete('default', key);
        await p.frontend.restore({ ...DEFAULT, key });
      }
      await deleteFiles(p, model, ['long', `f/${SEED}-1`, `f/${SEED}-2`]);
      (p.components.clock as SimulatedClock).advance(HOUR_MS);
      const expired = await expireRemoved(p.components);
      return [[...model.undecided.keys()], expired, await collectGarbage(p.components)];
    },
  },
};
