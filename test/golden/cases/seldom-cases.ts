// What a store is asked for now and then: objects that are restored in all ways, objects made of others, uploads that grow by much at once, looks at
// volumes whose directories are not written everywhere.

import { DAY_MS } from '../../../lib/foundation/durations.ts';
import { scriptedPlan } from '../../../lib/foundation/faults.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import type { ComposeRequest } from '../../../lib/frontend/compose/compose-object.ts';
import type { RestoreRequest } from '../../../lib/frontend/removed/restore-object.ts';
import { beginPartUpload, finishPartUpload } from '../../../lib/frontend/upload-parts.ts';
import { collectGarbage } from '../../../lib/gc/collect-garbage.ts';
import { encodeHot } from '../../../lib/live-coder/encode-hot.ts';
import { driveAttributes, driveKey } from '../../../lib/panda/rows/drives/drive-row.ts';
import { giveUpLostZones } from '../../../lib/volume/behind/lost-zones.ts';
import { lookAtVolume } from '../../../lib/volume/check/look.ts';
import { finishPendingSeals, isSealToFinish } from '../../../lib/volume/open/pending-seals.ts';
import { repairStore } from '../../../lib/volume/repair/repair-store.ts';
import { listVolumes } from '../../../lib/volume/rows/read-rows.ts';
import { filesOf, putFiles, SMALL } from '../../compaction/acting-world.ts';
import type { UseCase } from '../../faults/use-cases.ts';
import { wipe } from '../../repair/drives.ts';
import { Model } from '../../store/crash.ts';
import { type Process, World } from '../../store/harness.ts';
import { told } from '../told.ts';

const NS = 'default';
const KIB = 1024;
const LONG = new SeededRandomness(31).bytes(60 * KIB + 5);

async function storeWith(count: number, settings = SMALL, drives = 6): Promise<{ world: World; model: Model }> {
  const world = new World(31, settings, drives);
  const model = new Model();
  const files = filesOf(31, count, 1800).set('long', LONG).set('none', new Uint8Array(0));
  await putFiles(world.start(), model, files);
  return { world, model };
}

async function trash({ frontend }: Process): Promise<unknown[]> {
  const found: unknown[] = [];
  for await (const one of frontend.removed({ namespace: NS })) found.push([one.object, one.holds]);
  return found;
}

/** What each volume is by its rows, and by a look at what its drives hold: at all of it, in halves, and read. */
async function looks({ volumes }: Process): Promise<unknown[]> {
  const out: unknown[] = [];
  for (const volume of await listVolumes(volumes.components.panda, 'c0')) {
    out.push([volume.id, await isSealToFinish(volumes.components, volume)]);
    for (const options of [{}, { read: true }, { isOver: () => true }, { afterSeq: 1 }, { skipDirectories: true }])
      out.push(await told(() => lookAtVolume(volumes, volume, options)));
  }
  return out;
}

/** Some columns’ directories are not written: their drives do not answer. */
async function halfSealed(): Promise<{ world: World; model: Model }> {
  const made = await storeWith(14, { ...SMALL, trashGraceMs: 0 }, 7);
  const plan = scriptedPlan(({ operation }, detail) =>
    operation === 'append' && /^drive-[135]:.*dirs$/.test(detail) ? 'before-error' : 'none',
  );
  const p = made.world.start({ plan });
  await p.volumes.open.sealAll('hot');
  await encodeHot(p.volumes, { force: true, flush: true });
  await told(() => p.volumes.open.sealAll('warm'));
  return made;
}

export const SELDOM_CASES: Readonly<Record<string, UseCase>> = {
  'objects that are restored in all ways, and some that cannot be': {
    prepare: async () => {
      const made = await storeWith(6, { ...SMALL, deleteGraceMs: DAY_MS });
      const { frontend } = made.world.start();
      for (const key of ['long', 'none', 'f/31-0', 'f/31-1']) await frontend.delete(NS, key);
      await frontend.put({ namespace: NS, key: 'f/31-0', body: Buffer.from('another') });
      return { world: made.world, model: new Model() };
    },
    act: async (p) => {
      const out: unknown[] = [await trash(p)];
      const restore = async (request: Omit<RestoreRequest, 'namespace'>): Promise<void> =>
        void out.push(await told(() => p.frontend.restore({ namespace: NS, ...request })));
      const { version } = await p.frontend.head(NS, 'f/31-0');
      for (const key of ['f/31-0', 'f/31-1', 'f/31-1', 'none', 'not there']) await restore({ key });
      await restore({ key: 'f/31-0', as: 'f/31-9' });
      await restore({ key: 'f/31-0', overwrite: true });
      await restore({ key: 'f/31-0', version });
      await restore({ key: 'f/31-0', version, overwrite: true });
      await restore({ key: 'long', as: 'f/31-2' });
      await restore({ key: 'long', as: 'f/31-2', overwrite: true });
      await restore({ key: 'long' });
      for (const key of ['f/31-3', 'f/31-4', 'long']) out.push(await told(() => p.frontend.delete(NS, key)));
      out.push(await collectGarbage(p.components, { ignoreGrace: true }));
      for (const key of ['f/31-3', 'long', 'f/31-2']) await restore({ key, as: `again/${key}` });
      return [...out, await trash(p), await told(() => p.frontend.read(NS, 'f/31-2', 99 * KIB))];
    },
  },
  'objects made of others, and some that cannot be': {
    prepare: () => storeWith(6),
    act: async (p, model) => {
      const out: unknown[] = [];
      const compose = async (
        key: string,
        from: readonly string[],
        more: Partial<ComposeRequest> = {},
      ): Promise<void> => {
        const sources = from.map((one) => ({ namespace: NS, key: one }));
        out.push(await told(() => p.frontend.compose({ namespace: NS, key, sources, ...more })));
        const bodies = from.map((one) => model.there.get(one) ?? new Uint8Array(0));
        const isThere = typeof out.at(-1) !== 'string' && more.ends === undefined;
        if (isThere) model.put(key, Buffer.concat(bodies));
      };
      await compose('one', ['f/31-0']);
      await compose('parts', ['f/31-0', 'f/31-1', 'f/31-0'], { areParts: true, metadata: 'of three' });
      await compose('one', ['none'], { ifVersion: 'absent' });
      await compose('empty', []);
      await compose('nothing', ['none', 'none']);
      await compose('two', ['long', 'long'], { areParts: true, ifVersion: 'absent' });
      await compose('two', ['long'], { ifVersion: 'absent' });
      await compose('all', ['two', 'f/31-2', 'parts']);
      await compose('missing', ['long', 'not there']);
      const { version } = await p.frontend.head(NS, 'one');
      await compose('older', [], { sources: [{ namespace: NS, key: 'f/31-0', version }] });
      await compose('', ['one']);
      for (const key of ['one', 'parts', 'two', 'all']) out.push(await told(() => p.frontend.head(NS, key)));
      return out;
    },
  },
  'uploads that grow by much at once, and come again': {
    prepare: () => storeWith(2),
    act: async (p) => {
      const { components, volumes, frontend } = p;
      const out: unknown[] = [];
      const upload = await beginPartUpload(components, NS, 'grown');
      const grow = async (at: number, end: number, stopsAfter = 99, namespace = NS): Promise<void> => {
        let asked = 0;
        const mayGoOn = (): boolean => ++asked <= stopsAfter;
        async function* body(): AsyncGenerator<Uint8Array> {
          for (let from = at; from < end; from += 7000) yield LONG.subarray(from, Math.min(end, from + 7000));
        }
        out.push(await told(() => frontend.extendUpload({ upload, namespace, at, body, ownBlocks: false, mayGoOn })));
      };
      await grow(0, 20 * KIB, 2);
      await grow(0, 20 * KIB);
      await grow(40 * KIB, LONG.length);
      await grow(20 * KIB, 40 * KIB);
      await grow(7, 99);
      await grow(0, KIB, 1, 'other');
      const end = { upload, namespace: NS, key: 'grown' };
      for (const sizeBytes of [LONG.length + 1, LONG.length, LONG.length])
        out.push(await told(() => finishPartUpload(volumes, { ...end, sizeBytes })));
      await grow(0, KIB);
      return [...out, await told(() => frontend.read(NS, 'grown', 99 * KIB))];
    },
  },
  'looks at volumes whose directories some drives did not take, and at repaired ones': {
    prepare: halfSealed,
    act: async (p) => [
      await looks(p),
      await finishPendingSeals(p.volumes),
      await repairStore(p.volumes),
      await looks(p),
    ],
  },
  'looks at what a drive that is lost had, before and after a repair': {
    prepare: async () => {
      const made = await halfSealed();
      await wipe(made.world, 2);
      return made;
    },
    act: async (p) => {
      const out: unknown[] = [await looks(p)];
      const attributes = driveAttributes({ state: 'lost', change: 1, sinceMs: 0, domain: undefined });
      await p.components.panda.transact([{ kind: 'put', ...driveKey(2), attributes }]);
      return [...out, await repairStore(p.volumes), await giveUpLostZones(p.components), await looks(p)];
    },
  },
};
