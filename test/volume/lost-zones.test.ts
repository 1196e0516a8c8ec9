// Zones claimed for a flip that will not come: they go to trash with the run that ends, whoever claimed them and however late. What an
// earlier release lost of them is found and given up.
import { describe, expect, it } from 'vitest';
import { findRowFaults } from '../../lib/engine/doctor/doctor-rows.ts';
import type { RunId, VolumeId } from '../../lib/foundation/ids.ts';
import type { VolumeRow } from '../../lib/panda/rows/volume-row.ts';
import { zoneAttributes, zoneFromRow, zoneKey } from '../../lib/panda/rows/zone-row.ts';
import { Findings } from '../../lib/verify/findings.ts';
import { sweepStrays } from '../../lib/volume/behind/sweep.ts';
import { listVolumes, readVolume } from '../../lib/volume/rows/read-rows.ts';
import { DrainingSources, endSource } from '../../lib/volume/runs/drain-source.ts';
import { claimNext } from '../../lib/volume/runs/flip.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { adoptRun, releaseRun, retireVolume, takeRun } from '../../lib/volume/runs/runs.ts';
import { sealedWorld } from '../compaction/acting-world.ts';
import type { Process } from '../store/harness.ts';

const [FIRST, SECOND] = ['l1/a/000000000001', 'recover/b/000000000002'] as [RunId, RunId];

async function zoneFaults({ components }: Process): Promise<string[]> {
  const findings = new Findings();
  await findRowFaults(components, findings);
  return findings.list.filter(({ check }) => check === 'zone').map(({ message }) => message);
}

/** A volume that drains under a second run, with extents that the first one claimed for its next generation. */
async function takenOver(deletedEach: (i: number) => number) {
  const { p } = await sealedWorld({ volumes: 1, filesEach: 20, deletedEach });
  const { components, volumes } = p;
  const { cell } = components.settings;
  const { id } = (await listVolumes(components.panda, cell)).find(({ state }) => state === 'sealed') as VolumeRow;
  const taken = (await takeRun(components, id, FIRST)) as VolumeRow;
  const claimed = (await claimNext(volumes, FIRST, taken)) as VolumeRow;
  expect(claimed.next?.extents).toHaveLength(claimed.extents.length);
  const adopted = (await adoptRun(components, id, FIRST, SECOND)) as VolumeRow;
  const now = (): Promise<VolumeRow | undefined> => readVolume(components.panda, cell, id);
  return { p, id, adopted, now };
}

describe('extents claimed for a flip', () => {
  it('are not forgotten by a run that only drains: they go to trash, and the volume back to sealed', async () => {
    const { p, id, adopted, now } = await takenOver(() => 10);
    expect(await releaseRun(p.components, id, SECOND)).toBeUndefined();
    const { panda } = p.components;
    const transact = panda.transact.bind(panda);
    let retiring = 0;
    panda.transact = (writes) => {
      if (writes.some((write) => write.kind === 'update' && write.set?.['s'] === 'trash')) retiring += 1;
      return transact(writes);
    };
    expect(await endSource(p.volumes, adopted, SECOND)).toBe(false);
    // Before it was read; what holds buckets is not asked to retire again.
    expect(retiring).toBe(1);
    expect(await now()).toMatchObject({ state: 'sealed', run: undefined, next: undefined });
    expect(await zoneFaults(p)).toEqual([]);
    await freeTrash(p.volumes, { ignoreGrace: true });
    expect(await zoneFaults(p)).toEqual([]);
  });

  it('are not left in use when the volume is retired', async () => {
    const { p, id, adopted, now } = await takenOver(() => 20);
    await p.frontend.finishReleases();
    const empty = (await now()) as VolumeRow;
    await p.components.panda.transact([
      {
        kind: 'update',
        partition: `volume/${p.components.settings.cell}/${Number.parseInt(id[0] as string, 16)}`,
        sort: id,
        remove: ['b'],
      },
    ]);
    expect(await retireVolume(p.components, { id, class: 'hot' }, SECOND)).toBe(false);
    expect(await endSource(p.volumes, { ...adopted, buckets: new Set() }, SECOND)).toBe(true);
    expect(await now()).toMatchObject({ state: 'trash', next: undefined });
    expect((await zoneFaults(p)).filter((message) => message.includes('nobody'))).toEqual([]);
    expect(empty.next?.extents).toHaveLength(empty.extents.length);
  });

  it('are asked for no more once their volume is retired: its run ends without a request', async () => {
    const { p, adopted } = await takenOver(() => 20);
    await p.frontend.finishReleases();
    const sources = new DrainingSources(p.volumes, SECOND);
    const pushed: unknown[] = [];
    await sources.feed(adopted, async (content) => void pushed.push(content));
    expect([sources.retired, pushed]).toEqual([1, []]);
    p.components.panda.transact = () => Promise.reject(new Error('nothing is left to do'));
    p.components.panda.get = () => Promise.reject(new Error('nothing is left to look at'));
    await sources.end();
    expect(sources.retired).toBe(1);
  });

  it('are not handed to a run that lost them as it claimed them', async () => {
    const { p } = await sealedWorld({ volumes: 1, filesEach: 20, deletedEach: () => 10 });
    const { components, volumes } = p;
    const { panda, settings } = components;
    const { id } = (await listVolumes(panda, settings.cell)).find(({ state }) => state === 'sealed') as VolumeRow;
    const taken = (await takeRun(components, id, FIRST)) as VolumeRow;
    const transact = panda.transact.bind(panda);
    panda.transact = async (writes) => {
      await transact(writes);
      panda.transact = transact;
      // Somebody takes this process for dead, and ends its run.
      await endSource(volumes, (await adoptRun(components, id, FIRST, SECOND)) as VolumeRow, SECOND);
    };
    expect(await claimNext(volumes, FIRST, taken)).toBeUndefined();
    expect(await readVolume(panda, settings.cell, id)).toMatchObject({ state: 'sealed', next: undefined });
  });

  it('cannot be claimed any more once the run has ended, however late the claim', async () => {
    const { p, adopted, now } = await takenOver(() => 10);
    expect(await endSource(p.volumes, adopted, SECOND)).toBe(false);
    for (const run of [FIRST, SECOND])
      expect(await claimNext(p.volumes, run, { ...adopted, next: undefined })).toBeUndefined();
    expect((await now())?.next).toBeUndefined();
    expect(await zoneFaults(p)).toEqual([]);
  });
});

describe('a zone in use for a volume that is no more', () => {
  it('is said by doctor, given up by a sweep, and free once it was erased', async () => {
    const { p } = await sealedWorld({ volumes: 1, filesEach: 20, deletedEach: () => 10 });
    const { panda, settings, drives } = p.components;
    const gone = 'ffffffffffffff01' as VolumeId;
    const lost = { generation: 1, state: 'used', volume: gone } as const;
    await panda.transact([{ kind: 'put', ...zoneKey(2, 77), attributes: zoneAttributes(lost), if: ['absent'] }]);
    await drives[2]?.append({ zone: 77, generation: 1 }, '1-1', [new Uint8Array(100)]);
    expect(await zoneFaults(p)).toEqual([`zone 2/77 is used for ${gone}, but an extent of nobody`]);
    const before = await listVolumes(panda, settings.cell);
    await sweepStrays(p.volumes);
    await sweepStrays(p.volumes);
    const added = (await listVolumes(panda, settings.cell)).filter(({ id }) => !before.some((one) => one.id === id));
    expect(added).toMatchObject([{ state: 'trash', extents: [{ drive: 2, zone: 77, zoneGeneration: 1 }] }]);
    expect(await zoneFaults(p)).toEqual([]);
    await freeTrash(p.volumes, { ignoreGrace: true });
    const row = await panda.get(zoneKey(2, 77));
    expect(row && zoneFromRow(row)).toMatchObject({ state: 'free', generation: 2, volume: undefined });
    expect(await drives[2]?.list({ zone: 77, generation: 1 })).toEqual([]);
    expect(await zoneFaults(p)).toEqual([]);
  });

  it('is left alone if it belongs to a volume, or to a drive that was away when the rows were made anew', async () => {
    const { p } = await sealedWorld({ volumes: 1, filesEach: 20, deletedEach: () => 10 });
    const { panda, settings } = p.components;
    const unknown = { generation: 3, state: 'used', volume: undefined } as const;
    await panda.transact([{ kind: 'put', ...zoneKey(1, 78), attributes: zoneAttributes(unknown), if: ['absent'] }]);
    const before = await listVolumes(panda, settings.cell);
    await sweepStrays(p.volumes);
    expect(await listVolumes(panda, settings.cell)).toEqual(before);
  });
});
