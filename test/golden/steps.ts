// What steps write, from rows alone: objects put and deleted, blocks given back and renewed.
import { isPocketfulError } from '../../lib/foundation/errors.ts';
import { type BlockId, newRecordId, newVolumeId, type ObjectVersion } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import {
  type FreshBlock,
  itemsOf,
  type ObjectChange,
  planIndex,
  referencesOf,
  unknownAs,
} from '../../lib/frontend/index-plan.ts';
import { isLoss } from '../../lib/frontend/removed/keep-removed.ts';
import { type Renewal, renewalsOf, renewedRow, renewWrites } from '../../lib/frontend/renew-plan.ts';
import { namedOf, nextCounted, planGiveBack } from '../../lib/gc/give-back-plan.ts';
import { PAIRS_PER_TRANSACTION } from '../../lib/limits/panda.ts';
import type { BlockRow } from '../../lib/panda/rows/block-row.ts';
import { NO_DEAD, withDead } from '../../lib/panda/rows/bucket-row.ts';
import type { AppendGroupRow, GroupIntent } from '../../lib/panda/rows/group-row.ts';
import type { ObjectRow } from '../../lib/panda/rows/object-row.ts';
import { type HoldingRow, holdingAttributes, holdingFromRow } from '../../lib/panda/rows/removed/held-references.ts';
import { removedKey } from '../../lib/panda/rows/removed/removed-row.ts';
import { intentWrites, partsOf, settledWrite, unnamedWrites } from '../../lib/volume/steps/recover-steps.ts';
import { loseReferences } from '../../lib/volume/steps/reference-steps.ts';
import { SeededRows, textOf } from './seeded-rows.ts';

/** What it gives, or the code of what it throws. */
function lineOf(what: () => unknown): string {
  try {
    return textOf(what());
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

const freshOf = (rows: SeededRows, id: BlockId): FreshBlock => {
  const { refs: _, state: __, named: ___, isOld: ____, ...fresh } = rows.block({ id });
  return fresh;
};

function indexLines(): string[] {
  const lines: string[] = [];
  for (let seed = 1; seed <= 40; seed++) {
    const rows = new SeededRows(new SeededRandomness(seed));
    const blocks = rows.list(5, () => rows.block());
    const known = new Map<BlockId, BlockRow | undefined>(blocks.map((block) => [block.id, block]));
    const unknown = rows.list(2, () => rows.blockId());
    for (const id of unknown) known.set(id, undefined);
    const ids = [...known.keys()];
    const some = (count: number): BlockId[] => rows.list(count, () => rows.pick(ids));
    const objects = rows.list(3, (): ObjectRow | undefined => {
      if (rows.once(4)) return undefined;
      const old = rows.object(rows.once(5) ? undefined : some(1 + rows.below(3)), rows.once(4) ? { isOld: true } : {});
      if (old.blocks?.length !== 1 || rows.once(2)) return old;
      const [id] = old.blocks as [BlockId];
      const block = known.get(id);
      if (block !== undefined && block.refs > 0 && rows.once(2)) known.set(id, { ...block, named: old.version });
      return { ...old, isNamed: true };
    });
    const changes = objects.map((old): ObjectChange => {
      const { namespace, key } = old ?? rows.object(undefined);
      const next = rows.once(3) ? undefined : { ...rows.object(some(rows.below(3))), namespace, key };
      const ifVersion = rows.once(10) ? rows.pick([old?.version, 'absent', 'another']) : undefined;
      const same = rows.once(6) && old !== undefined ? old : next;
      return { namespace, key, next: same, ...(ifVersion === undefined ? {} : { ifVersion }) };
    });
    const fresh = new Map(unknown.slice(0, 1).map((id) => [id, freshOf(rows, id)]));
    const voids = new Set(rows.once(3) ? [ids[0] as BlockId] : []);
    if (voids.size > 0 && rows.once(2)) fresh.set(ids[0] as BlockId, freshOf(rows, ids[0] as BlockId));
    const extra = new Map(rows.once(3) ? [[ids[1] as BlockId, rows.pick([-2, -1, 1])]] : []);
    const input = {
      cell: 'c0',
      nowMs: 77,
      changes,
      objects,
      blocks: known,
      fresh,
      voids,
      extra,
      keepsRemoved: rows.once(2),
    };
    lines.push(`references ${seed}: ${textOf(referencesOf(input))}`);
    const plan = lineOf(() => planIndex(input));
    lines.push(`index ${seed}: ${plan}`);
    const items = changes.map((change, i) => itemsOf(change, objects[i], (id) => known.get(id)?.state === 'trash'));
    const losses = changes.map(({ next }, i) => objects[i] !== undefined && isLoss(objects[i] as ObjectRow, next));
    lines.push(
      `  items ${items}, losses ${losses}, unknown as ${textOf(unknownAs(blocks[0]))} ${textOf(unknownAs(undefined))}`,
    );
  }
  const rows = new SeededRows(new SeededRandomness(9));
  const object = { ...rows.object([rows.blockId()]), metadata: 'm', md5: 'a', system: 's' };
  const others = {
    etag: 'x',
    sizeBytes: 1,
    blockBytes: 1,
    metadata: 'n',
    md5: 'b',
    system: 't',
    createdAtMs: 1,
    key: 'k',
  };
  for (const [name, value] of Object.entries(others))
    lines.push(`loss of ${name}: ${isLoss(object, { ...object, [name]: value })}`);
  return lines;
}

function giveBackLines(): string[] {
  const lines: string[] = [];
  for (let seed = 1; seed <= 24; seed++) {
    const rows = new SeededRows(new SeededRandomness(100 + seed));
    const count = seed % 6 === 0 ? PAIRS_PER_TRANSACTION + 3 : 4;
    const blocks = rows.list(count, () => rows.block({ refs: 1 + rows.below(3) }));
    const objects = rows.list(seed % 6 === 0 ? 4 : 3, () => {
      const one = rows.object(rows.list(1 + rows.below(count), () => rows.pick(blocks).id));
      return rows.once(2) ? { ...one, blocks: one.blocks?.slice(0, 1), isNamed: true as const } : one;
    });
    const byId = new Map<BlockId, BlockRow | undefined>(blocks.map((block) => [block.id, block]));
    for (const { isNamed, blocks: its, version } of objects) {
      const block = byId.get(its?.[0] as BlockId);
      if (isNamed && block !== undefined && rows.once(2)) byId.set(block.id, { ...block, named: version });
    }
    if (rows.once(3)) byId.set((blocks[0] as BlockRow).id, undefined);
    const removed = objects.map((object) => ({ object, isOverwritten: false, isRestored: false }));
    const key = removedKey('c0', 5, (objects[0] as ObjectRow).version);
    let row: HoldingRow = holdingFromRow({ ...key, attributes: holdingAttributes(removed) });
    for (let step = 0; step < 3; step++) {
      lines.push(
        `given back ${seed} ${step}: ${nextCounted(row).map(({ reference }) => reference)}, named ${namedOf(row).map(({ reference }) => reference)}`,
      );
      const { packed: _, objects: __, ...shown } = row;
      lines.push(`  of ${textOf(shown)}`);
      let plan: ReturnType<typeof planGiveBack> | undefined;
      lines.push(
        `  ${lineOf(() => {
          plan = planGiveBack(row, byId);
          const { next, ...rest } = plan;
          return { ...rest, next: { step: next.step, given: next.given, notes: next.notes, kek: next.kekVersion } };
        })}`,
      );
      if (plan === undefined || plan.next === row) break;
      row = plan.next;
    }
  }
  return lines;
}

function renewLines(): string[] {
  const lines: string[] = [];
  for (let seed = 1; seed <= 10; seed++) {
    const rows = new SeededRows(new SeededRandomness(200 + seed));
    const bucket = rows.bucketId();
    const lost = rows.list(4, () =>
      rows.block({
        bucket: rows.once(2) ? bucket : rows.bucketId(),
        named: rows.once(3) ? rows.object([]).version : undefined,
      } as Partial<BlockRow>),
    );
    const now = new Map<BlockId, BlockRow | undefined>(lost.map((row) => [row.id, row]));
    now.set(
      (lost[0] as BlockRow).id,
      seed % 2 === 0 ? undefined : { ...(lost[0] as BlockRow), recordId: newRecordId(rows.random) },
    );
    const fresh = new Map(lost.slice(0, seed % 3 === 0 ? 2 : 4).map(({ id }) => [id, freshOf(rows, id)]));
    const renewals: Renewal[] = renewalsOf(new Map(lost.map((row) => [row.id, row])), now, fresh);
    lines.push(`renewed ${seed}: ${renewals.map(({ row }) => lost.indexOf(row))} ${textOf(renewals.map(renewedRow))}`);
    const deads = new Map(seed % 2 === 0 ? [] : [[bucket, { version: 3, bits: new Uint8Array([1]) }] as const]);
    lines.push(`  ${lineOf(() => renewWrites('c0', 9, renewals, deads))}`);
    for (const row of lost.slice(0, 2))
      for (const count of [1, 2, row.refs])
        lines.push(`  loses ${count} of ${row.refs}: ${lineOf(() => loseReferences(row, count))}`);
  }
  return lines;
}

/** Slots of a group, as their blocks' rows name them now: this slot, another one of the bucket, another bucket or record, or none. */
function recoverLines(): string[] {
  const lines: string[] = [];
  for (let seed = 1; seed <= 24; seed++) {
    const rows = new SeededRows(new SeededRandomness(300 + seed));
    const bucket = rows.bucketId();
    const firstSlot = rows.below(3);
    const blocks = new Map<BlockId, BlockRow | undefined>();
    const objects = new Map<ObjectVersion, ObjectRow | undefined>();
    const intents: GroupIntent[] = [];
    const slots = rows.list(seed % 8 === 0 ? 90 : 6, (i) => {
      const block = rows.block({ bucket, slot: firstSlot + i, refs: 1 + rows.below(2) });
      const changed = rows.pick<Partial<BlockRow>>([
        {},
        {},
        {},
        { slot: 77 },
        { bucket: rows.bucketId() },
        { recordId: newRecordId(rows.random) },
      ]);
      const object = rows.object([block.id], { isNamed: true });
      const isNamed = rows.once(2);
      if (rows.once(2)) {
        intents.push({ slot: i, namespace: rows.pick(['a', 'b']), key: object.key, version: object.version });
        objects.set(object.version, rows.pick([undefined, object, { ...object, version: rows.object([]).version }]));
      }
      blocks.set(
        block.id,
        rows.once(6) ? undefined : { ...block, ...(isNamed ? { named: object.version } : {}), ...changed },
      );
      return { blockId: block.id, recordId: block.recordId, recordBytes: block.recordBytes };
    });
    const dead = {
      version: rows.below(2),
      bits: withDead(NO_DEAD, [firstSlot + 1, firstSlot + 3].slice(0, rows.below(3))),
    };
    const group: AppendGroupRow = {
      kind: 'append',
      bucket,
      firstSlot,
      slots,
      intents,
      seq: 3,
      token: 2,
      columnBytes: [9],
    };
    lines.push(
      `recovered ${seed}: ${lineOf(() => unnamedWrites('c0', partsOf(group), blocks, new Map([[bucket, dead]])))}`,
    );
    lines.push(`  ${lineOf(() => intentWrites('c0', group, { objects, voids: new Map(), blocks, dead, nowMs: 5 }))}`);
    lines.push(`  ${lineOf(() => settledWrite('c0', { id: newVolumeId(rows.random) }, 4, 3, rows.once(2)))}`);
  }
  return lines;
}

export const stepLines = (): readonly string[] => [
  ...indexLines(),
  ...giveBackLines(),
  ...renewLines(),
  ...recoverLines(),
];
