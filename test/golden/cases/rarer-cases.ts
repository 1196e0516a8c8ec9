// What a store does seldom: bulk puts, keys that are retired, voids that end, drives that go and come back, rows that are behind what drives hold,
// lost records that are put again, moves that are delivered by a queue.

import { drainPass } from '../../../lib/compaction/do/drainer.ts';
import { compact } from '../../../lib/compaction/do/rounds.ts';
import { workDelivered } from '../../../lib/compaction/move/l3/delivered.ts';
import { sendDraining } from '../../../lib/compaction/move/l3/stream-runs.ts';
import type { SimulatedClock } from '../../../lib/foundation/clock.ts';
import { DAY_MS, HOUR_MS } from '../../../lib/foundation/durations.ts';
import type { VolumeId } from '../../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { confirmObjects, type RememberedObject } from '../../../lib/frontend/again/confirm-objects.ts';
import { Frontend } from '../../../lib/frontend/frontend.ts';
import { KekRing } from '../../../lib/frontend/kek-ring.ts';
import { collectGarbage } from '../../../lib/gc/collect-garbage.ts';
import { endVoids } from '../../../lib/gc/end-voids.ts';
import { expireRemoved } from '../../../lib/gc/expire-removed.ts';
import { retireKek } from '../../../lib/gc/retire-kek.ts';
import { blocksByKekVersion, rewrapKeys } from '../../../lib/gc/rewrap-keys.ts';
import { blockIdOf } from '../../../lib/keys/envelope.ts';
import { MemoryKekStore } from '../../../lib/keys/memory-kek-store.ts';
import { QUARANTINE_MS } from '../../../lib/limits/volume.ts';
import { BulkCoder } from '../../../lib/live-coder/bulk-coder.ts';
import { encodeHot } from '../../../lib/live-coder/encode-hot.ts';
import { driveAttributes, driveKey } from '../../../lib/panda/rows/drives/drive-row.ts';
import { MemoryStream } from '../../../lib/stream/memory-stream.ts';
import { giveUpLostZones } from '../../../lib/volume/behind/lost-zones.ts';
import { lookAtDrives, refuseIfBehind } from '../../../lib/volume/behind/newer-chunks.ts';
import { raiseAboveDrives } from '../../../lib/volume/behind/raise-above-drives.ts';
import { sweepStrays } from '../../../lib/volume/behind/sweep.ts';
import { balanceStore, planBalanceNow } from '../../../lib/volume/repair/balance-store.ts';
import { freeDiscards } from '../../../lib/volume/repair/discards.ts';
import { planRepair, repairStore } from '../../../lib/volume/repair/repair-store.ts';
import { finishReturned, hasUnfinishedReturn } from '../../../lib/volume/repair/returned.ts';
import { listVolumes } from '../../../lib/volume/rows/read-rows.ts';
import { freeTrash } from '../../../lib/volume/runs/free.ts';
import { newRunId, takeRun } from '../../../lib/volume/runs/runs.ts';
import { VolumeStore } from '../../../lib/volume/volume-store.ts';
import { actorsOf, batchesOf, filesOf, putFiles, SMALL, sealedWorld } from '../../compaction/acting-world.ts';
import type { UseCase } from '../../faults/use-cases.ts';
import { mark, wipe } from '../../repair/drives.ts';
import { Model } from '../../store/crash.ts';
import { type Process, World } from '../../store/harness.ts';
import { LatePanda } from '../../store/late-panda.ts';
import { told } from '../told.ts';

const NS = 'default';
const KIB = 1024;

async function storeWith(count: number, settings = SMALL, drives = 6): Promise<{ world: World; model: Model }> {
  const world = new World(14, settings, drives);
  const model = new Model();
  await putFiles(world.start(), model, filesOf(14, count, 1800));
  return { world, model };
}

async function encode(p: Process): Promise<void> {
  await p.volumes.open.sealAll('hot');
  await encodeHot(p.volumes, { force: true, flush: true });
  await p.volumes.open.sealAll('warm');
  await freeTrash(p.volumes, { ignoreGrace: true });
}

/** Drives of a volume that is not hot, by its columns. */
const drivesOf = async ({ panda }: Pick<Process['components'], 'panda'>): Promise<number[]> =>
  (await listVolumes(panda, 'c0')).find((volume) => volume.class === 'warm')?.extents.map(({ drive }) => drive) ?? [];

const warm = async (count: number, drives = 6): Promise<{ world: World; model: Model }> => {
  const made = await storeWith(count, { ...SMALL, trashGraceMs: 0 }, drives);
  await encode(made.world.start());
  return made;
};

async function putEach(frontend: Frontend, files: ReadonlyMap<string, Uint8Array>): Promise<unknown[]> {
  const out: unknown[] = [];
  for (const [key, body] of files) out.push(await told(() => frontend.put({ namespace: NS, key, body })));
  return out;
}

/** A process with keys of its own, of which there may be new versions. */
function withKeks({ components }: Process): { keks: MemoryKekStore; p: Process } {
  const keks = new MemoryKekStore({ clock: components.clock, randomness: new SeededRandomness(3) });
  const volumes = new VolumeStore({ ...components, keks });
  return { keks, p: { components: volumes.components, volumes, frontend: new Frontend(volumes) } };
}

export const RARER_CASES: Readonly<Record<string, UseCase>> = {
  'bulk puts: long ones, pieces, and many small ones': {
    prepare: () => storeWith(2),
    act: async (p) => {
      const frontend = new Frontend(p.volumes, undefined, new BulkCoder(p.volumes, 6 * KIB));
      const random = new SeededRandomness(6);
      const long = random.bytes(40 * KIB + 9);
      async function* pieces(): AsyncGenerator<Uint8Array> {
        for (let at = 0; at < 17_000; at += 7000) yield long.subarray(at, at + 7000).map((byte) => byte ^ 1);
      }
      const out: unknown[] = [await told(() => frontend.put({ namespace: NS, key: 'long', body: long }))];
      out.push(await told(() => frontend.put({ namespace: NS, key: 'pieces', body: pieces() })));
      const items = [...filesOf(15, 24, 1500)].map(([key, body]) => ({ namespace: NS, key, body }));
      for await (const outcome of frontend.putAll(items)) out.push(outcome.ok ? outcome.key : outcome);
      for (const key of ['long', 'pieces', 'f/15-7']) out.push(await told(() => frontend.read(NS, key, 200 * KIB)));
      return out;
    },
  },
  'a key version that is rotated, rewrapped and retired': {
    prepare: () => storeWith(0),
    act: async (first) => {
      const { keks, p } = withKeks(first);
      // One of the last partition of blocks, too.
      const last = Array.from({ length: 5000 }, (_, i) => Buffer.from(`${i}`)).find((body) =>
        blockIdOf(body).startsWith('ff'),
      ) as Uint8Array;
      const out: unknown[] = [await putEach(p.frontend, filesOf(16, 9, 900).set('last', last))];
      await keks.rotate();
      out.push(await putEach(p.frontend, filesOf(17, 3, 900)), [...(await blocksByKekVersion(p.components))]);
      out.push(await told(() => retireKek(p.components, 1)), await rewrapKeys(p.components));
      out.push([...(await blocksByKekVersion(p.components))], await told(() => retireKek(p.components, 1)));
      out.push(await told(() => p.frontend.delete(NS, 'f/16-1')), await putEach(p.frontend, filesOf(18, 2, 900)));
      return [...out, await rewrapKeys(p.components), [...(await blocksByKekVersion(p.components))]];
    },
  },
  'voids that end, with the objects that landed late': {
    prepare: async () => {
      const made = await storeWith(0);
      const isLate = ({ partition, sort }: { partition: string; sort: string }): boolean =>
        partition.startsWith('object/') && (sort === 'b' || sort === 'd');
      const late = new LatePanda(made.world.panda, isLate);
      const { frontend } = made.world.start({ panda: late });
      const items = ['a', 'b', 'c', 'd', 'e'].map((key) => ({ namespace: NS, key, body: Buffer.from(`of ${key}`) }));
      for await (const outcome of frontend.putAll(items)) if (!outcome.ok) throw outcome.error;
      await made.world.start().frontend.delete(NS, 'b');
      await late.land();
      return made;
    },
    act: async (p) => {
      const out: unknown[] = [];
      for (const ms of [0, 23 * HOUR_MS, HOUR_MS, DAY_MS]) {
        await p.components.clock.sleep(ms);
        await endVoids(p.components);
        for (const request of [{}, { limit: 1 }, { limit: 2, from: 'b' }, { prefix: 'd' }, { prefix: 'x' }])
          out.push(await told(() => p.frontend.list({ namespace: NS, ...request })));
      }
      return [...out, await collectGarbage(p.components)];
    },
  },
  'a drive that is lost, repaired, and comes back': {
    prepare: () => warm(24, 7),
    act: async (p) => {
      const out: unknown[] = [];
      let change = 1;
      const [, drive = 0] = await drivesOf(p.components);
      for (const state of ['lost', 'active', 'draining', 'retired', 'active'] as const) {
        const attributes = driveAttributes({ state, change: change++, sinceMs: 0, domain: undefined });
        await p.components.panda.transact([{ kind: 'put', ...driveKey(drive), attributes }]);
        out.push(await planRepair(p.volumes), await repairStore(p.volumes), await giveUpLostZones(p.components));
        out.push(await hasUnfinishedReturn(p.volumes), await finishReturned(p.volumes, drive));
        out.push(await freeDiscards(p.volumes, { ignoreGrace: state === 'draining' }));
        await p.components.clock.sleep(DAY_MS);
        out.push(await freeDiscards(p.volumes));
      }
      return out;
    },
  },
  'a repair of columns that were emptied, and puts of what is lost': {
    prepare: async () => {
      const made = await warm(30, 8);
      for (const drive of (await drivesOf(made.world)).slice(0, 2)) await wipe(made.world, drive);
      return made;
    },
    act: async (p, model) => {
      const out: unknown[] = [];
      for (const key of [...model.there.keys()].slice(0, 4)) out.push(await told(() => p.frontend.read(NS, key, 9000)));
      out.push(await planRepair(p.volumes), await repairStore(p.volumes));
      out.push(await putEach(p.frontend, new Map([...model.there].slice(0, 12))), await repairStore(p.volumes));
      const remembered: RememberedObject[] = [];
      for (const key of [...model.there.keys()].slice(0, 14))
        remembered.push({ namespace: NS, key, version: (await p.frontend.head(NS, key)).version });
      out.push(await confirmObjects(p.volumes, new KekRing(p.components), remembered));
      for (const key of [...model.there.keys()].slice(0, 14))
        out.push(await told(() => p.frontend.read(NS, key, 9000)));
      return out;
    },
  },
  'rows that are behind what drives hold': {
    prepare: async () => {
      const made = await storeWith(4);
      await encode(made.world.start());
      const saved = made.world.panda.clone();
      await putFiles(made.world.start(), made.model, filesOf(19, 14, 1500));
      await encode(made.world.start());
      await putFiles(made.world.start(), made.model, filesOf(20, 5, 1500));
      const { settings, drives, seed } = made.world;
      return { world: new World(seed, settings, drives, saved), model: new Model() };
    },
    act: async (p) => {
      const { components } = p;
      const out: unknown[] = [await told(() => refuseIfBehind(components)), await told(() => lookAtDrives(components))];
      for (const epoch of [0, 9]) out.push(await told(() => raiseAboveDrives(components, epoch)));
      out.push(await told(() => refuseIfBehind(components)), await told(() => sweepStrays(p.volumes)));
      await components.clock.sleep(QUARANTINE_MS);
      out.push(await told(() => sweepStrays(p.volumes)), await told(() => lookAtDrives(components)));
      return [...out, await putEach(p.frontend, filesOf(21, 4, 900))];
    },
  },
  'moves of a drain that a queue delivers, some of them cut off': {
    prepare: () => sealedWorld({ volumes: 4, filesEach: 14, deletedEach: (v) => 5 + 3 * v }),
    act: async (p) => {
      const { clock } = p.components;
      const stream = new MemoryStream(clock);
      const out: unknown[] = [];
      for (let pass = 0; pass < 4; pass++) {
        out.push(await drainPass(p.volumes, stream, { l3UpTo: 0.8, threshold: 0.05, begin: pass < 2 }));
        for (const isCut of [pass === 0, false]) {
          const some = await stream.receive(pass === 1 ? 3 : 1000, 1000);
          const { failed, ...done } = await workDelivered(
            { ...actorsOf(p), stream },
            stream,
            some,
            isCut ? AbortSignal.abort() : new AbortController().signal,
          );
          await stream.ack(some.filter(({ receipt }) => !failed.includes(receipt)).map(({ receipt }) => receipt));
          out.push([some.length, failed.length, done, await stream.figures()]);
        }
        await clock.sleep(700_000);
      }
      return [...out, await freeTrash(p.volumes)];
    },
  },
  'columns that go to drives that were added': {
    prepare: async () => {
      const world = new World(14, { ...SMALL, trashGraceMs: 0 }, 8);
      const model = new Model();
      for (const drive of [5, 6, 7]) await mark(world, drive, 'draining');
      await putFiles(world.start(), model, filesOf(14, 24, 1800));
      await encode(world.start());
      await putFiles(world.start(), model, filesOf(15, 24, 1800));
      await encode(world.start());
      for (const drive of [5, 6, 7]) await mark(world, drive, 'active');
      return { world, model };
    },
    act: async (p) => {
      const out: unknown[] = [await planBalanceNow(p.volumes), await balanceStore(p.volumes, { bytesMax: 1 })];
      out.push(await balanceStore(p.volumes), await planBalanceNow(p.volumes));
      return [...out, await freeDiscards(p.volumes, { ignoreGrace: true })];
    },
  },
  'all of it by a clock that says it is before 1970': {
    prepare: () => storeWith(0, { ...SMALL, deleteGraceMs: HOUR_MS }),
    act: async (p) => {
      (p.components.clock as SimulatedClock).jumpTo(-30 * DAY_MS);
      const { frontend, volumes, components } = p;
      const files = filesOf(22, 20, 1500).set('long', new SeededRandomness(8).bytes(30 * KIB));
      const out: unknown[] = [await putEach(frontend, files)];
      const items = [...filesOf(23, 6, 900)].map(([key, body]) => ({ namespace: NS, key, body }));
      for await (const outcome of frontend.putAll(items)) out.push(outcome);
      await encode(p);
      for (const key of [...files.keys()].slice(0, 14)) out.push(await told(() => frontend.delete(NS, key)));
      out.push(await told(() => frontend.restore({ namespace: NS, key: 'f/22-1' })));
      out.push(await expireRemoved(components), await collectGarbage(components));
      out.push(await told(() => compact(batchesOf(p), {})), await freeTrash(volumes, { ignoreGrace: true }));
      const stream = new MemoryStream(components.clock);
      out.push(await told(() => drainPass(volumes, stream, { l3UpTo: 0.8, threshold: 0.05, begin: true })));
      out.push(await told(() => repairStore(volumes)), await told(() => sweepStrays(volumes)));
      return [...out, components.clock.nowMs()];
    },
  },
  'messages of a source that drains, as many as are asked for': {
    prepare: () => sealedWorld({ volumes: 1, filesEach: 40, deletedEach: () => 5 }),
    act: async (p) => {
      const { components } = p;
      const [first] = await listVolumes(components.panda, 'c0');
      const run = newRunId(components, 'l3');
      const source = await takeRun(components, first?.id as VolumeId, run);
      if (source === undefined) return 'not taken';
      const out: unknown[] = [];
      for (const max of [0, 1, 2, 5, 99]) {
        const stream = new MemoryStream(components.clock);
        out.push(await sendDraining(p.volumes, stream, source, max), await stream.figures());
      }
      return out;
    },
  },
};
