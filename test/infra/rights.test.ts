// What each function does with drives and keys is no more than its role allows: its use-case on a store with volumes of all kinds, where a call that the
// role does not name throws. Emulators do not enforce IAM; the templates say what is granted (stage.test.ts), this says that it is enough.
import { describe, expect, it } from 'vitest';
import { drainPass } from '../../lib/compaction/do/drainer.ts';
import { planRuns } from '../../lib/compaction/do/plan-runs.ts';
import { stepRun } from '../../lib/compaction/do/run-step.ts';
import { workDelivered } from '../../lib/compaction/move/l3/delivered.ts';
import type { Actors } from '../../lib/compaction/run/actors.ts';
import type { Drive } from '../../lib/drive/drive.ts';
import { plannedPasses, repairStep } from '../../lib/engine/upkeep/stage-repair.ts';
import { encodeStage, sweepStage, verifyStage } from '../../lib/engine/upkeep/stage-tasks.ts';
import { tuneStage } from '../../lib/engine/upkeep/stage-tune.ts';
import { denied } from '../../lib/foundation/errors.ts';
import { DRIVE_ACCESS, type DriveAccess, type Worker } from '../../lib/infra/stage-parts.ts';
import type { KekStore } from '../../lib/keys/keys.ts';
import { LiveCoder } from '../../lib/live-coder/live-coder.ts';
import { FrontendService } from '../../lib/service/service.ts';
import type { Settings } from '../../lib/settings/settings.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { planRepair } from '../../lib/volume/repair/repair-store.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import { mark } from '../repair/drives.ts';
import { TINY, World } from '../store/harness.ts';
import { incompressible } from '../store/sealed-overhead.ts';

/** Ten warm volumes out of a thousand objects. */
const SMALL: Settings = { ...TINY, warmCodec: 'xor-2-1', groupBytesMin: 16 * 1024 };
const OBJECTS = 1200;
const LOOKS = ['label', 'read', 'list', 'zones'];
const ALLOWED: Readonly<Record<DriveAccess, readonly string[]>> = {
  look: LOOKS,
  append: [...LOOKS, 'append'],
  erase: [...LOOKS, 'append', 'erase'],
};

const limited = (drive: Drive, access: DriveAccess, used: Set<string>): Drive =>
  new Proxy(drive, {
    get(target, name) {
      if (typeof name === 'string' && !ALLOWED[access].includes(name) && name in target)
        throw denied('DRIVE_DENIED', `${name} is not among the rights of a function that may ${access}`);
      used.add(String(name));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });

/** Without kms:Decrypt. */
const withoutUnwrapping = (keks: KekStore): KekStore => ({
  versions: () => keks.versions(),
  rotate: () => keks.rotate(),
  destroy: (version) => keks.destroy(version),
  kek: () => Promise.reject(denied('KEK_DENIED', 'a worker reads no blob')),
});

class Stage {
  readonly world = new World(11, SMALL);
  readonly stream = new MemoryStream(this.world.clock);
  /** Calls of each function to its drives. */
  readonly used = new Map<string, Set<string>>();

  as(folder: 'frontend' | Worker): VolumeStore {
    const { components } = this.world.start();
    const used = this.used.get(folder) ?? new Set<string>();
    this.used.set(folder, used);
    const drives = components.drives.map((drive) => limited(drive, DRIVE_ACCESS[folder], used));
    return new VolumeStore({
      ...components,
      drives,
      keks: folder === 'frontend' ? components.keks : withoutUnwrapping(components.keks),
    });
  }

  actors(store: VolumeStore): Actors {
    return { store, stream: this.stream, makeTarget: (run, moved) => new LiveCoder(store, run, moved) };
  }
}

const signal = new AbortController().signal;

/** Puts, deletes, and everything behind the frontend, in the order of a stage's days. */
async function live(stage: Stage): Promise<{ moved: number; sent: number; read: number }> {
  const objects = Array.from({ length: OBJECTS }, (_, i) => ({ key: `o${i}`, body: incompressible(1000, i) }));
  const frontend = new FrontendService(stage.as('frontend'));
  for (let i = 0; i < objects.length; i += 64)
    for (const outcome of await frontend.put('default', objects.slice(i, i + 64))) if (!outcome.ok) throw outcome.error;
  await encodeStage(stage.as('encoder'), { all: true, signal, stream: stage.stream });
  // Thin volumes for L3 and half-full ones for L1 and L2: the earlier, the fewer survive.
  const dead = objects.filter((_, i) => (i < OBJECTS / 2 ? i % 32 !== 0 : i % 2 === 0)).map(({ key }) => ({ key }));
  await frontend.delete('default', dead);
  await sweepStage(stage.as('gc'), { signal });
  await tuneStage(stage.as('threshold-tuner').components, { put: async () => undefined });
  const { runs } = await planRuns(stage.as('planner'), 100);
  let moved = 0;
  for (const run of runs) moved += (await stepRun(stage.actors(stage.as('compactor')), run, signal)).movedBuckets;
  let sent = 0;
  for (let pass = 0; pass < 4; pass++) {
    sent += (await drainPass(stage.as('drainer'), stage.stream, { signal })).sent;
    const deliveries = await stage.stream.receive(100, 60_000);
    const worked = await workDelivered(stage.actors(stage.as('live-coder')), stage.stream, deliveries, signal);
    await stage.stream.ack(deliveries.map(({ receipt }) => receipt).filter((one) => !worked.failed.includes(one)));
    stage.world.clock.advance(60_000);
  }
  await sweepStage(stage.as('gc'), { now: true, signal });
  const verified = await verifyStage(stage.as('gc'), { signal, allSinceMs: stage.world.clock.nowMs() });
  expect(verified).toMatchObject({ level: 'healthy', done: true, findings: [] });
  // A drive is given up, and what lay there is made again.
  await mark(stage.world, 1, 'lost');
  for (const run of await plannedPasses(stage.as('planner')))
    expect(await repairStep(stage.as('compactor'), run, { signal })).toMatchObject({ done: true, lost: [] });
  expect((await planRepair(stage.as('planner'))).repairs).toEqual([]);
  let read = 0;
  const gone = new Set(dead.map(({ key }) => key));
  for (const { key, body } of objects.filter((object) => !gone.has(object.key))) {
    const answer = await frontend.read('default', key);
    expect(Buffer.compare(answer.body, body), key).toBe(0);
    read += 1;
  }
  return { moved, sent, read };
}

describe('rights', () => {
  it('are enough for every function, and hardly more', async () => {
    const stage = new Stage();
    const { moved, sent, read } = await live(stage);
    expect(moved).toBeGreaterThan(0);
    expect(sent).toBeGreaterThan(0);
    expect(read).toBeGreaterThan(200);
    const used = (folder: 'frontend' | Worker): string[] => [...(stage.used.get(folder) ?? [])];
    for (const folder of ['frontend', 'encoder', 'compactor', 'live-coder'] as const)
      expect(used(folder), folder).toEqual(expect.arrayContaining(['append', 'read']));
    for (const folder of ['gc', 'encoder'] as const) expect(used(folder), folder).toContain('erase');
    for (const folder of ['planner', 'drainer', 'threshold-tuner'] as const)
      expect(used(folder), folder).not.toContain('append');
  });
});
