// The index scanner: every kind of wrong block row is found by name, in one go and cut anywhere; sound stores, with rows that move beside
// it, give no finding.
import { describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import type { Row } from '../../lib/panda/panda.ts';
import { type BlockRow, blockAttributes, blockFromRow, blockKey } from '../../lib/panda/rows/block-row.ts';
import { bucketKey } from '../../lib/panda/rows/bucket-row.ts';
import { placePrint, recordPrint } from '../../lib/verify/block-table.ts';
import { Findings } from '../../lib/verify/findings.ts';
import { type IndexScanReport, scanIndex } from '../../lib/verify/index-scan.ts';
import { listFindings } from '../../lib/verify/keep-findings.ts';
import { listDamage } from '../../lib/volume/rows/damage.ts';
import type { Process, World } from '../store/harness.ts';
import { type PlantedPlace, placesIn, plantedWorld, replace, SMALL_RS } from '../volume/planted.ts';

const worldOf = (seed: number): Promise<World> => plantedWorld(seed, SMALL_RS, 9);

async function blocksOf(world: World): Promise<BlockRow[]> {
  const blocks: BlockRow[] = [];
  for await (const page of world.panda.scan())
    for (const row of page as Row[]) if (row.partition.startsWith('block/')) blocks.push(blockFromRow(row));
  return blocks;
}

const change = (world: World, block: BlockRow, changes: Partial<BlockRow>): Promise<void> =>
  world.panda.transact([{ kind: 'put', ...blockKey(block.id), attributes: blockAttributes({ ...block, ...changes }) }]);

async function scan(p: Process, chunkBlocksMax?: number): Promise<IndexScanReport & { findings: Findings }> {
  const findings = new Findings();
  return { ...(await scanIndex(p.volumes, { findings, chunkBlocksMax })), findings };
}

/** Cut after every chunk of a few blocks. */
async function inSteps(p: Process): Promise<IndexScanReport['faults']> {
  const faults: IndexScanReport['faults'][number][] = [];
  let cursor: string | undefined;
  for (let step = 0; step < 600; step++) {
    const report = await scanIndex(p.volumes, {
      findings: new Findings(),
      cursor,
      isLate: () => true,
      chunkBlocksMax: 5,
    });
    faults.push(...report.faults);
    cursor = report.cursor;
    if (cursor === undefined) return faults;
  }
  throw new Error('a scan in steps does not end');
}

const isHot = ({ hint }: BlockRow, world: World, volumes: ReadonlySet<string>): boolean =>
  volumes.has(hint.volume) && world !== undefined;

async function sampleBlocks(world: World): Promise<{ hot: BlockRow; warm: BlockRow; blocks: BlockRow[] }> {
  const places = await placesIn(world);
  const hotVolumes = new Set<string>(
    places.filter(({ volume }) => volume.class === 'hot').map(({ volume }) => volume.id),
  );
  const blocks = await blocksOf(world);
  const hot = blocks.find((one) => isHot(one, world, hotVolumes)) as BlockRow;
  const warm = blocks.find((one) => !isHot(one, world, hotVolumes)) as BlockRow;
  return { hot, warm, blocks };
}

describe('the index scanner', () => {
  it('finds nothing in a sound store, in one chunk, in many, and in steps', async () => {
    const world = await worldOf(201);
    const blocks = await blocksOf(world);
    for (const chunk of [undefined, 7]) {
      const report = await scan(world.start(), chunk);
      expect(report).toMatchObject({ blocks: blocks.length, faults: [], unread: 0, cursor: undefined });
      expect(report.findings.list).toEqual([]);
    }
    expect(await inSteps(world.start())).toEqual([]);
    expect(await listDamage(world.start().components)).toEqual([]);
  });

  it('names every wrong row, notes it, and takes it back when it is right again', async () => {
    const world = await worldOf(202);
    const { hot, warm, blocks } = await sampleBlocks(world);
    const others = blocks.filter(({ id }) => id !== hot.id && id !== warm.id);
    const [slotless, other, long, nowhere, ...rest] = others as [BlockRow, BlockRow, BlockRow, BlockRow, ...BlockRow[]];
    const bucketless = rest.find(
      ({ bucket }) => ![slotless, other, long].some((one) => one.bucket === bucket),
    ) as BlockRow;
    await change(world, slotless, { slot: 200 });
    await change(world, other, { recordId: warm.recordId });
    await change(world, long, { recordBytes: long.recordBytes + 1 });
    await change(world, nowhere, { bucket: 'ffffffffffffff00' as BlockRow['bucket'] });
    await change(world, hot, { hint: { ...hot.hint, offset: hot.hint.offset + 8 } });
    // A hint that readers do not go by any more may say anything.
    await change(world, warm, { hint: { ...warm.hint, offset: 8 } });
    const report = await scan(world.start());
    const wanted = new Map<string, string>([
      [slotless.id, 'SLOT_MISSING'],
      [other.id, 'RECORD_OTHER'],
      [long.id, 'LENGTH_OTHER'],
      [nowhere.id, 'BUCKET_MISSING'],
      [hot.id, 'HINT_WRONG'],
    ]);
    expect(new Map(report.faults.map(({ block, fault }) => [block, fault]))).toEqual(wanted);
    expect(report.findings.level).toBe('wrong');
    const { components } = world.start();
    const noted = await listFindings(components, 'index');
    expect(new Map(noted.map(({ name, code }) => [name, code]))).toEqual(wanted);
    const inPieces = await inSteps(world.start());
    expect(new Map(inPieces.map(({ block, fault }) => [block, fault]))).toEqual(wanted);
    for (const one of [slotless, other, long, nowhere, hot]) await change(world, one, {});
    expect((await scan(world.start())).faults).toEqual([]);
    expect(await listFindings(components, 'index')).toEqual([]);
    await world.panda.transact([{ kind: 'delete', ...bucketKey(SMALL_RS.cell, bucketless.bucket) }]);
    const lost = (await scan(world.start())).faults;
    expect(lost.length).toBe(blocks.filter(({ bucket }) => bucket === bucketless.bucket).length);
    expect(new Set(lost.map(({ fault }) => fault))).toEqual(new Set(['BUCKET_MISSING']));
  });

  it('finds objects that are gone or cut, and notes the damage once', async () => {
    const world = await worldOf(203);
    const data = (await placesIn(world)).filter(
      ({ volume, column, part }) => typeof part === 'number' && (volume.class === 'warm' ? column < 6 : column === 0),
    );
    const [gone] = data.filter(({ volume }) => volume.class === 'warm') as [PlantedPlace];
    const [cut] = data.filter(({ volume }) => volume.class === 'hot') as [PlantedPlace];
    await replace(world, gone, undefined);
    await replace(world, cut, cut.bytes.slice(0, 300));
    const { faults, findings } = await scan(world.start());
    expect(new Set(faults.map(({ fault }) => fault))).toEqual(new Set(['CHUNK_UNLISTED']));
    expect(findings.level).toBe('degraded');
    const damage = await listDamage(world.start().components);
    expect(damage).toHaveLength(2);
    expect(damage).toContainEqual(
      expect.objectContaining({ volume: gone.volume.id, column: gone.column, kind: 'missing' }),
    );
    expect(damage).toContainEqual(
      expect.objectContaining({ volume: cut.volume.id, column: cut.column, kind: 'short' }),
    );
  });

  it('gives no false finding while blocks are put, deleted, encoded and shredded beside it (seed 204)', async () => {
    const world = await worldOf(204);
    const p = world.start();
    const random = new SeededRandomness(204);
    const findings = new Findings();
    let cursor: string | undefined;
    let name = 0;
    const { encodeHot } = await import('../../lib/live-coder/encode-hot.ts');
    const { collectGarbage } = await import('../../lib/gc/collect-garbage.ts');
    for (let step = 0; step < 60; step++) {
      const scanner = scanIndex(world.start().volumes, {
        findings,
        cursor,
        chunkBlocksMax: 1 + random.below(20),
        isLate: () => true,
      });
      const body = random.bytes(900);
      const put = p.frontend.put({ namespace: 'default', key: `n/${name++}`, body });
      const drop = p.frontend.delete('default', `n/${random.below(name)}`).catch(() => {});
      const [report] = await Promise.all([scanner, put, drop]);
      if (step % 9 === 4)
        await Promise.all([scanIndex(world.start().volumes, { findings }), collectGarbage(p.components)]);
      if (step % 20 === 10) {
        await p.volumes.open.sealAll('hot');
        await Promise.all([
          scanIndex(world.start().volumes, { findings }),
          encodeHot(p.volumes, { force: true, flush: true }),
        ]);
      }
      cursor = report.cursor;
    }
    expect(findings.list).toEqual([]);
  });

  it('has prints that differ where rows differ', () => {
    const random = new SeededRandomness(5);
    const prints = new Set(
      Array.from({ length: 2000 }, (_, i) =>
        recordPrint(
          random.bytes(16).reduce((text, byte) => text + byte.toString(16).padStart(2, '0'), ''),
          48 + i,
        ),
      ),
    );
    expect(prints.size).toBe(2000);
    expect(recordPrint('ffffffff', 4_194_368)).toBeLessThan(2 ** 53);
    const places = new Set<number>();
    for (let seq = 1; seq < 20; seq++)
      for (let offset = 0; offset < 50; offset++) places.add(placePrint(seq, 3, offset % 6, offset * 97));
    expect(places.size).toBe(19 * 50);
  });
});
