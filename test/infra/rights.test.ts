// What each function does with drives and keys is no more than its role allows: its use-case on a store with volumes of all kinds, where a call that the
// role does not name throws. Emulators do not enforce IAM; the templates say what is granted (stage.test.ts), this says that it is enough.
import { describe, expect, it } from 'vitest';
import { drainPass } from '../../lib/compaction/do/drainer.ts';
import { planRuns } from '../../lib/compaction/do/plan-runs.ts';
import { stepRun } from '../../lib/compaction/do/run-step.ts';
import { workDelivered } from '../../lib/compaction/move/l3/delivered.ts';
import type { Actors } from '../../lib/compaction/run/actors.ts';
import { driveUnavailable } from '../../lib/drive/errors.ts';
import { plannedPasses, repairStep } from '../../lib/engine/upkeep/stage-repair.ts';
import { encodeStage, sweepStage, verifyStage, watchStage } from '../../lib/engine/upkeep/stage-tasks.ts';
import { tuneStage } from '../../lib/engine/upkeep/stage-tune.ts';
import { MINUTE_MS } from '../../lib/foundation/durations.ts';
import { DRIVE_ACCESS, type DriveAccess, type Worker } from '../../lib/infra/stage-parts.ts';
import { LiveCoder } from '../../lib/live-coder/live-coder.ts';
import { FrontendService } from '../../lib/service/service.ts';
import type { Settings } from '../../lib/settings/settings.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { planRepair } from '../../lib/volume/repair/repair-store.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { VolumeStore } from '../../lib/volume/volume-store.ts';
import { asRole } from '../functions/rights.ts';
import { mark } from '../repair/drives.ts';
import { TINY, World } from '../store/harness.ts';
import { incompressible } from '../store/sealed-overhead.ts';

/** Ten warm volumes out of a thousand objects. */
const SMALL: Settings = { ...TINY, warmCodec: 'xor-2-1', groupBytesMin: 16 * 1024 };
const OBJECTS = 1200;
const CALLS = ['append', 'read', 'list', 'zones', 'erase', 'probe'] as const;
class Stage {
  readonly world = new World(11, SMALL);
  readonly stream = new MemoryStream(this.world.clock);
  /** Calls of each function to its drives. */
  readonly used = new Map<'frontend' | Worker, Set<string>>();

  as(folder: 'frontend' | Worker): VolumeStore {
    const { components } = this.world.start();
    const used = this.used.get(folder) ?? new Set<string>();
    this.used.set(folder, used);
    return new VolumeStore(asRole(components, folder, (call) => used.add(call)));
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
  await watchStage(stage.as('drainer'), signal);
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
  // One that does not answer is given up by the drainer's look, made whole, and comes back.
  const held = (await listVolumes(stage.world.panda, SMALL.cell)).filter(({ buckets }) => buckets.size > 0);
  const drive = held.flatMap(({ extents }) => extents.map((extent) => extent.drive)).find((one) => one > 2) as number;
  const body = stage.world.drives[drive] as unknown as Record<string, unknown>;
  for (const call of CALLS) body[call] = () => Promise.reject(driveUnavailable('bucket', 'no such bucket here'));
  for (let look = 0; look < 4; look++) {
    await watchStage(stage.as('drainer'), signal);
    stage.world.clock.advance(10 * MINUTE_MS);
  }
  for (const run of await plannedPasses(stage.as('planner'))) await repairStep(stage.as('compactor'), run, { signal });
  for (const call of CALLS) delete body[call];
  expect(await watchStage(stage.as('drainer'), signal)).toMatchObject({ returned: [drive] });
  // Another is emptied, and what it still has is erased.
  await mark(stage.world, 2, 'draining');
  for (const run of await plannedPasses(stage.as('planner')))
    expect(await repairStep(stage.as('compactor'), run, { signal, ignoreGrace: true })).toMatchObject({ done: true });
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
    for (const [folder, calls] of stage.used) {
      expect({ folder, access: accessOf(calls) }).toEqual({ folder, access: DRIVE_ACCESS[folder] });
    }
  });
});

/** The least that has these calls in it. */
function accessOf(calls: ReadonlySet<string>): DriveAccess {
  if (calls.has('erase')) return 'erase';
  if (calls.has('append')) return 'append';
  return [...calls].some((call) => !call.startsWith('write ')) ? 'look' : 'none';
}
