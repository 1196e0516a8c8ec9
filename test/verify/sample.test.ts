// The storage watcher: one block in a hundred, by its hash, read back at five ages; and the trash inspector as a verifier.
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../lib/foundation/durations.ts';
import { retryLater } from '../../lib/foundation/errors.ts';
import type { BlockId } from '../../lib/foundation/ids.ts';
import { blockKey } from '../../lib/panda/rows/block-row.ts';
import { Findings } from '../../lib/verify/findings.ts';
import { listFindings } from '../../lib/verify/keep-findings.ts';
import { type ReadBlock, type SampleReport, sampleBlocks } from '../../lib/verify/sample.ts';
import { checksDue, SAMPLE_AGES_MS, sampledRange } from '../../lib/verify/sample-plan.ts';
import { inspectTrash } from '../../lib/verify/trash.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { TINY, World } from '../store/harness.ts';
import { placesIn, plantedWorld, replace } from '../volume/planted.ts';

const isSampled = (id: string): boolean => {
  const { from, to } = sampledRange(id.slice(0, 2));
  return id >= from && id <= to;
};

/** Bodies of which the block is sampled. */
function sampledBodies(count: number): Map<BlockId, Uint8Array> {
  const found = new Map<BlockId, Uint8Array>();
  for (let i = 0; found.size < count; i++) {
    const body = Buffer.from(`body ${i}`);
    const id = createHash('sha256').update(body).digest('hex') as BlockId;
    if (isSampled(id)) found.set(id, body);
  }
  return found;
}

async function worldWith(seed: number, count: number) {
  const world = new World(seed, TINY, 16);
  const p = world.start();
  const bodies = sampledBodies(count);
  for (const [id, body] of bodies) await p.frontend.put({ namespace: 'default', key: id, body });
  const others = Array.from({ length: 20 }, (_, i) => Buffer.from(`x${i}`));
  for (const [i, body] of others.entries())
    if (!isSampled(createHash('sha256').update(body).digest('hex')))
      await p.frontend.put({ namespace: 'default', key: `not/${i}`, body });
  const pass = async (
    readBlock: ReadBlock = (id) => p.frontend.readBlock(id),
    isAll = false,
  ): Promise<SampleReport & { findings: Findings }> => {
    const findings = new Findings();
    return { ...(await sampleBlocks(world.start().components, readBlock, { findings, isAll })), findings };
  };
  return { world, p, bodies, pass };
}

describe('the storage watcher', () => {
  it('samples one block in a hundred by its id', () => {
    let sampled = 0;
    for (let i = 0; i < 20_000; i++) if (isSampled(createHash('sha256').update(`${i}`).digest('hex'))) sampled += 1;
    expect(sampled).toBeGreaterThan(140);
    expect(sampled).toBeLessThan(260);
  });

  it('is due at each age once, however late it comes', () => {
    const row = { block: '' as BlockId, sinceMs: 0, checks: 0 };
    expect(checksDue(row, MINUTE_MS - 1)).toBeUndefined();
    expect(checksDue(row, MINUTE_MS)).toBe(1);
    expect(checksDue({ ...row, checks: 1 }, HOUR_MS - 1)).toBeUndefined();
    expect(checksDue({ ...row, checks: 1 }, 2 * DAY_MS)).toBe(3);
    expect(checksDue({ ...row, checks: 5 }, 900 * DAY_MS)).toBeUndefined();
    expect(checksDue({ ...row, sinceMs: 5 }, 1)).toBe(0);
  });

  it('reads back what it sampled after a minute, an hour, a day, a week and a month, and nothing else', async () => {
    const { world, pass, bodies } = await worldWith(301, 4);
    expect(await pass()).toMatchObject({ sampled: 4, read: 0, done: true });
    let age = 0;
    for (const at of SAMPLE_AGES_MS) {
      world.clock.advance(at - age - 1);
      expect((await pass()).read).toBe(0);
      world.clock.advance(1);
      age = at;
      const report = await pass();
      expect(report).toMatchObject({ read: 4, unread: 0, faults: [] });
      expect(report.bytes).toBe([...bodies.values()].reduce((sum, { length }) => sum + length, 0));
    }
    world.clock.advance(900 * DAY_MS);
    expect((await pass()).read).toBe(0);
    expect((await pass(undefined, true)).read).toBe(4);
  });

  it('finds other bytes and blocks that cannot be read, tries until they can, and says when it has to wait', async () => {
    const { world, p, bodies, pass } = await worldWith(302, 3);
    await pass();
    world.clock.advance(MINUTE_MS);
    const [wrong, away] = [...bodies.keys()] as [BlockId, BlockId];
    const liar: ReadBlock = async (id) => {
      if (id === away) throw retryLater('DRIVE_BUSY', 'later');
      return id === wrong ? Buffer.from('other') : p.frontend.readBlock(id);
    };
    const report = await pass(liar);
    expect(report).toMatchObject({ read: 2, unread: 1, faults: [{ block: wrong, fault: 'BLOCK_OTHER' }] });
    expect(report.findings.list).toMatchObject([{ severity: 'lost', check: 'sample' }]);
    expect(await listFindings(p.components, 'sample')).toMatchObject([{ name: wrong, code: 'BLOCK_OTHER' }]);
    expect(await pass()).toMatchObject({ read: 2, faults: [] });
    expect(await listFindings(p.components, 'sample')).toEqual([]);
  });

  it('finds a block whose columns are gone, through the code and everything above it', async () => {
    const { world, pass, bodies } = await worldWith(303, 2);
    await pass();
    world.clock.advance(MINUTE_MS);
    for (const place of await placesIn(world)) await replace(world, place, undefined);
    const { faults } = await pass((id) => world.start().frontend.readBlock(id));
    expect(faults.map(({ block }) => block).sort()).toEqual([...bodies.keys()].sort());
    expect(new Set(faults.map(({ fault }) => fault))).toEqual(new Set(['RECORD_LOST']));
  });

  it('forgets blocks that are gone, with what was found of them', async () => {
    const { world, p, bodies, pass } = await worldWith(304, 2);
    await pass();
    world.clock.advance(MINUTE_MS);
    const [one] = [...bodies.keys()] as [BlockId];
    await pass(async () => Buffer.from('other'));
    expect(await listFindings(p.components, 'sample')).toHaveLength(2);
    await world.panda.transact([{ kind: 'delete', ...blockKey(one) }]);
    expect(await pass()).toMatchObject({ sampled: 1, read: 1 });
    expect(await listFindings(p.components, 'sample')).toEqual([]);
  });
});

describe('the trash inspector as a verifier', () => {
  it('finds that what an emptied volume held is not safe elsewhere, while its grace goes on', async () => {
    const settings = { ...TINY, trashGraceMs: DAY_MS };
    const world = await plantedWorld(305, settings, 16);
    const p = world.start();
    const trash = (await listVolumes(world.panda, settings.cell)).filter(({ state }) => state === 'trash');
    expect(trash.length).toBeGreaterThan(0);
    const sound = new Findings();
    expect(await inspectTrash(p.volumes, { findings: sound })).toMatchObject({
      volumes: trash.length,
      kept: [],
      done: true,
    });
    expect(sound.list).toEqual([]);
    for (const place of (await placesIn(world)).filter(({ volume }) => volume.class === 'warm'))
      await replace(world, place, undefined);
    const findings = new Findings();
    const report = await inspectTrash(world.start().volumes, { findings });
    expect(report.kept.length).toBeGreaterThan(0);
    expect(findings.list[0]).toMatchObject({ severity: 'degraded', check: 'trash' });
    const noted = await listFindings(p.components, 'trash');
    expect(noted.map(({ name }) => name).sort()).toEqual(report.kept.map(({ volume }) => volume).sort());
    expect(noted[0]?.code).toBe('BUCKET_UNREADABLE');
  });
});
