// What a store does besides the use-cases that are done under faults: reads of every kind, lists, bulk puts, named puts, drains, balance.

import { drain } from '../../../lib/compaction/do/drain.ts';
import { drainPass, endDrains } from '../../../lib/compaction/do/drainer.ts';
import { planNow } from '../../../lib/compaction/do/plan-now.ts';
import { compact } from '../../../lib/compaction/do/rounds.ts';
import { DrainWorker, listDead, redriveDead } from '../../../lib/compaction/move/l3/stream-runs.ts';
import { explainVolume } from '../../../lib/compaction/plan/explain.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { OBJECTS_TOGETHER_MIN } from '../../../lib/limits/frontend.ts';
import { encodeHot } from '../../../lib/live-coder/encode-hot.ts';
import type { ObjectRow } from '../../../lib/panda/rows/object-row.ts';
import { MemoryStream } from '../../../lib/stream/memory-stream.ts';
import { balanceStore, planBalanceNow } from '../../../lib/volume/repair/balance-store.ts';
import { planRepair } from '../../../lib/volume/repair/repair-store.ts';
import { freeTrash } from '../../../lib/volume/runs/free.ts';
import {
  actorsOf,
  batchesOf,
  deleteFiles,
  filesOf,
  putFiles,
  SMALL,
  sealedWorld,
} from '../../compaction/acting-world.ts';
import type { UseCase } from '../../faults/use-cases.ts';
import { mark } from '../../repair/drives.ts';
import { Model } from '../../store/crash.ts';
import { type Process, World } from '../../store/harness.ts';
import { told } from '../told.ts';

const NS = 'default';
const KIB = 1024;
const LONG = new SeededRandomness(5).bytes(90 * KIB + 77);

async function storeWith(count: number, settings = SMALL): Promise<{ world: World; model: Model }> {
  const world = new World(12, settings, 6);
  const model = new Model();
  const p = world.start();
  await putFiles(p, model, filesOf(12, count, 1800));
  await putFiles(
    p,
    model,
    new Map([
      ['long', LONG],
      ['none', new Uint8Array(0)],
    ]),
  );
  return { world, model };
}

async function readAll(p: Process): Promise<unknown[]> {
  const out: unknown[] = [];
  const keys = ['long', 'none', 'f/12-0', 'f/12-1', 'not there'];
  const ranges = [
    undefined,
    { offset: 0, length: 1 },
    { offset: 5, length: 700 },
    { offset: 1000, length: 1030 },
    { offset: 60_000 },
    { offset: 99_999_999, length: 1 },
    { offset: 3, length: 0 },
  ];
  for (const key of keys)
    for (const range of ranges) out.push(await told(() => p.frontend.read(NS, key, 200 * KIB, range)));
  out.push(await told(() => p.frontend.read(NS, 'long', 100)));
  for (const key of keys) out.push(await told(() => p.frontend.head(NS, key)));
  return out;
}

async function lists(p: Process): Promise<unknown[]> {
  const out: unknown[] = [];
  for (const request of [
    {},
    { prefix: 'f/' },
    { prefix: 'f/12-1' },
    { prefix: 'x' },
    { delimiter: '/' },
    { prefix: 'f/', delimiter: '-' },
    { limit: 3 },
    { limit: 2, delimiter: '-' },
    { from: 'f/12-2' },
  ])
    out.push(
      await told(() => p.frontend.list({ namespace: NS, ...request } as Parameters<Process['frontend']['list']>[0])),
    );
  return out;
}

const encoded = async (p: Process): Promise<unknown> => {
  await p.volumes.open.sealAll('hot');
  const done = await encodeHot(p.volumes, { force: true, flush: true });
  await p.volumes.open.sealAll('warm');
  return [done, await freeTrash(p.volumes)];
};

export const MORE_CASES: Readonly<Record<string, UseCase>> = {
  'reads of all kinds, of a hot store and of a warm one': {
    prepare: () => storeWith(8),
    act: async (p) => [await readAll(p), await lists(p), await encoded(p), await readAll(p)],
  },
  'reads from a process that knows nothing, with a drive that is lost': {
    prepare: async () => {
      const made = await storeWith(30);
      await encoded(made.world.start());
      for (const zone of (await made.world.drives[1]?.zones()) ?? []) await made.world.drives[1]?.erase(zone);
      return made;
    },
    act: readAll,
  },
  'bulk puts of many, known ones among them': {
    prepare: () => storeWith(4),
    act: async (p, model) => {
      const files = filesOf(77, 30, 1500);
      files.set('again', model.there.get('f/12-1') as Uint8Array);
      const items = [...files].map(([key, body]) => ({ namespace: NS, key, body }));
      const out: unknown[] = [];
      for await (const outcome of p.frontend.putAll(items)) out.push(outcome);
      return out;
    },
  },
  'puts with conditions, metadata and bodies of pieces': {
    prepare: () => storeWith(4),
    act: async (p) => {
      const { version } = await p.frontend.head(NS, 'f/12-1');
      const body = new Uint8Array(900).fill(4);
      async function* pieces(): AsyncGenerator<Uint8Array> {
        for (const bytes of [0, 1, 1023, 1024, 1025, 7]) yield new Uint8Array(bytes).fill(bytes % 251);
      }
      const items = [
        { key: 'f/12-0', body, ifVersion: 'absent' as const },
        { key: 'new', body, ifVersion: 'absent' as const, metadata: '{"a":1}' },
        { key: 'f/12-1', body, ifVersion: version },
        { key: 'f/12-1', body: new Uint8Array(3), ifVersion: version },
        { key: 'pieces', body: pieces() },
        { key: 'own', body, ownBlocks: true },
        { key: '', body },
        { key: 'a/../b', body },
      ];
      const out: unknown[] = [];
      for (const item of items) out.push(await told(() => p.frontend.put({ namespace: NS, ...item })));
      for (const ifVersion of [version, undefined])
        out.push(await told(() => p.frontend.delete(NS, 'f/12-1', ifVersion === undefined ? {} : { ifVersion })));
      return out;
    },
  },
  'a drain of the sparsest, its plan and what is explained': {
    prepare: () => sealedWorld({ volumes: 3, filesEach: 14, deletedEach: (v) => 4 + 3 * v }),
    act: async (p) => {
      const { plan, view } = await planNow(p.volumes);
      const explained = view.ids.map((id) => explainVolume(view, plan, id));
      const seen: unknown[] = [];
      const onProgress = (progress: unknown): void => void seen.push(progress);
      const { makeTarget } = actorsOf(p);
      const done = await drain(p.volumes, makeTarget, { fillPermilleMax: 900, sourcesMax: 2, onProgress });
      return [plan, explained, done, seen, await freeTrash(p.volumes)];
    },
  },
  'compaction as it comes, until nothing is left to do': {
    prepare: () => sealedWorld({ volumes: 4, filesEach: 14, deletedEach: (v) => 3 + 3 * v }),
    act: async (p) => [await compact(batchesOf(p), {}), await compact(batchesOf(p), {}), await freeTrash(p.volumes)],
  },
  'passes of the drainer of a stage, with its worker, until nothing drains': {
    prepare: () => sealedWorld({ volumes: 4, filesEach: 14, deletedEach: (v) => 5 + 3 * v }),
    act: async (p) => {
      const { clock } = p.components;
      const stream = new MemoryStream(clock);
      const reports: unknown[] = [];
      for (let pass = 0; pass < 4; pass++) {
        reports.push(await drainPass(p.volumes, stream, { l3UpTo: 0.8, threshold: 0.05, begin: pass < 2 }));
        const worker = new DrainWorker(p.volumes, stream, actorsOf(p).makeTarget);
        reports.push(await worker.step(pass === 0 ? 4 : 50), worker.waitingBytes, await stream.figures());
        await worker.flush();
        if (pass === 1) await stream.send(['nonsense', '{"v":1,"run":"x"}']);
        await clock.sleep(700_000);
      }
      reports.push(await listDead(p.volumes, stream), await redriveDead(stream), await endDrains(p.volumes));
      return [reports, await freeTrash(p.volumes)];
    },
  },
  'balance, and a repair that has nothing to do': {
    prepare: async () => {
      const made = await storeWith(30);
      await encoded(made.world.start());
      await mark(made.world, 2, 'draining');
      return made;
    },
    act: async (p, model) => {
      await deleteFiles(p, model, ['long']);
      const plans = [await planBalanceNow(p.volumes), await planRepair(p.volumes)];
      return [plans, await balanceStore(p.volumes), await planRepair(p.volumes)];
    },
  },
  'many objects that are read together': {
    prepare: () => storeWith(OBJECTS_TOGETHER_MIN + 20),
    act: async (p, model) => {
      await putFiles(p, model, new Map([['f/long', new SeededRandomness(9).bytes(4 * KIB)]]));
      const objects: ObjectRow[] = [];
      for (const key of model.there.keys()) objects.push(await p.frontend.head(NS, key));
      const read = async (some: readonly ObjectRow[]): Promise<unknown[]> => {
        async function* all(): AsyncGenerator<ObjectRow> {
          yield* some;
        }
        const out: unknown[] = [];
        for await (const part of p.frontend.readTogether(all(), ({ key }) => key !== 'f/12-2'))
          if (part.kind === 'alone') out.push(part.objects.map(({ key }) => key));
          else
            out.push([part.bytes.length, part.objects.map((one) => `${one.object.key} ${one.offset}+${one.length}`)]);
        return out;
      };
      const out: unknown[] = [await read(objects), await read(objects.slice(0, OBJECTS_TOGETHER_MIN - 1))];
      await encoded(p);
      await told(() => p.frontend.delete(NS, 'f/12-5'));
      return [...out, await read(objects), await read(objects.slice(0, OBJECTS_TOGETHER_MIN))];
    },
  },
};
