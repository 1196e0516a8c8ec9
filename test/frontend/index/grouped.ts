// A committed group of real records, and the batch that indexes them, with others in its way as a test wants it.
import { unknownOutcome } from '../../../lib/foundation/errors.ts';
import type { BlockId } from '../../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import { IndexBatch, type IndexBatchRequest } from '../../../lib/frontend/index-batch.ts';
import type { FreshBlock, ObjectChange } from '../../../lib/frontend/index-plan.ts';
import { KekRing } from '../../../lib/frontend/kek-ring.ts';
import { blockIdOf, sealBlock } from '../../../lib/keys/envelope.ts';
import type { Key, Row, Write } from '../../../lib/panda/panda.ts';
import { readBlocks } from '../../../lib/volume/rows/read-rows.ts';
import { appendGroup } from '../../../lib/volume/write/append.ts';
import { appendBulk } from '../../../lib/volume/write/append-bulk.ts';
import { objectOf, version } from '../../gc/removed-rows.ts';
import { World } from '../../store/harness.ts';
import { MeddledPanda } from '../../store/meddled-panda.ts';
import { expectSound } from '../../store/recount.ts';

export const bodyOf = (n: number): Uint8Array => new SeededRandomness(100 + n).bytes(60);
export const idOf = (n: number): BlockId => blockIdOf(bodyOf(n));

export class MeddledReadsPanda extends MeddledPanda {
  beforeRead: ((keys: readonly Key[]) => Promise<void>) | undefined;

  override async getMany(keys: readonly Key[]): Promise<(Row | undefined)[]> {
    await this.beforeRead?.(keys);
    return super.getMany(keys);
  }
}
export const isOf = (key: string) => (writes: readonly Write[]) =>
  writes.some(({ partition, sort }) => partition === 'object/n' && sort === key);

/** A group of records of those blocks, stored and committed; or a share of one, whose other share is used by nobody. */
export async function grouped(
  blocks: readonly number[],
  { isShared = false, known = [] as number[], intents = [] as ObjectChange[] } = {},
) {
  const panda = new MeddledReadsPanda();
  const world = new World(6, undefined, 20, panda);
  const { components, volumes, frontend } = world.start();
  for (const n of known) await frontend.put({ namespace: 'n', key: `known ${n}`, body: bodyOf(n) });
  const kek = await new KekRing(components).current();
  const sealed = [...blocks, ...(isShared ? [99] : [])].map((n) => sealBlock(bodyOf(n), components.randomness, kek));
  const intentOf = (id: BlockId) => {
    const change = intents.find(({ next }) => next?.blocks?.[0] === id);
    return change?.next && { namespace: 'n', key: change.key, version: change.next.version };
  };
  const records = sealed.map(({ recordId, record }, i) => {
    const blockId = idOf(blocks[i] ?? 99);
    return { blockId, recordId, record, intent: intentOf(blockId) };
  });
  const shares = isShared ? (await appendBulk(volumes, [records.slice(0, -1), records.slice(-1)], 1)).shares : [];
  const group = shares[0] ?? (await appendGroup(volumes, records, 1));
  const freshAt = (i: number, id: BlockId, { bucket, slot, hint }: (typeof group.placed)[number]): FreshBlock => {
    const { recordId, record, wrappedBek, kekVersion } = sealed[i] as (typeof sealed)[number];
    const lengths = { recordBytes: record.length, plaintextBytes: 60 };
    return { ...{ id, cell: 'c0', bucket, slot, hint, recordId, ...lengths }, wrappedBek, kekVersion };
  };
  const fresh = new Map(
    blocks.map((n, i) => [idOf(n), freshAt(i, idOf(n), group.placed[i] as (typeof group.placed)[number])]),
  );
  /** The share of block 99. */
  const other = shares[1] && {
    group: shares[1],
    fresh: new Map(shares[1].placed.map((at) => [idOf(99), freshAt(blocks.length, idOf(99), at)])),
  };
  const ended: string[] = [];
  for (const name of ['settle', 'tryFinish', 'finished', 'leave', 'recover'] as const) {
    const of = group as unknown as Record<string, (...args: unknown[]) => unknown>;
    const does = of[name];
    if (does !== undefined)
      of[name] = (...args) => {
        ended.push([name, ...args].join(' '));
        return does.apply(group, args);
      };
  }
  const rows = await readBlocks(panda, [...blocks, ...known].map(idOf));
  const run = async (changes: readonly ObjectChange[], more: Partial<IndexBatchRequest> = {}) => {
    const request = {
      changes,
      rows,
      lost: new Map(),
      appended: { group, fresh },
      olds: changes.map(() => undefined),
      named: new Map(),
    };
    const { again, isLost, errors } = await new IndexBatch(components, { ...request, ...more }).run();
    return {
      ...{ again: again.map(({ key }) => key), isLost },
      errors: [...errors].map(([{ key }, error]) => `${key} ${(error as Error & { code: string }).code}`),
    };
  };
  const sound = async () => expectSound(world.start());
  return { panda, world, components, group, fresh, other, ended, run, sound };
}
export const put = (key: string, blocks: readonly number[], ifVersion?: string): ObjectChange => {
  const next = {
    ...objectOf(1, []),
    key,
    version: version(key.charCodeAt(0)),
    blocks: blocks.map(idOf),
    sizeBytes: 60 * blocks.length,
  };
  return { namespace: 'n', key, next, ...(ifVersion === undefined ? {} : { ifVersion }) };
};
export const fine = { again: [], isLost: false, errors: [] };
export const lostAnswer = () => unknownOutcome('PANDA_UNKNOWN', 'the answer got lost');
