// RESTORE (protocol 20): a deleted or overwritten object is put again from what its removal left, without a byte moved:
// each block is referred to once more, which takes it out of trash. It is a put in everything: its own version, its
// name's condition, and every block's; a block that GC was faster with is named, and nothing has happened.
import { conflict, isKind, isPocketfulError, missing } from '../../foundation/errors.ts';
import { type BlockId, newObjectVersion } from '../../foundation/ids.ts';
import { INDEX_ATTEMPTS_MAX } from '../../limits/frontend.ts';
import type { Write } from '../../panda/panda.ts';
import type { ObjectRow, UploadRow } from '../../panda/rows/object-row.ts';
import { retellObjects } from '../../panda/rows/removed/held-references.ts';
import {
  removedAs,
  removedAttributes,
  removedSegmentFromRow,
  removedSegmentPartition,
} from '../../panda/rows/removed/removed-row.ts';
import type { Components } from '../../volume/rows/components.ts';
import { readBlocks, rowsOf } from '../../volume/rows/read-rows.ts';
import { voidBlocks } from '../../volume/rows/void-blocks.ts';
import { contended, isGuardFailure, runIndex } from '../index-objects.ts';
import { checkKey, shown } from '../object-keys.ts';
import { beginUpload, giveUpUpload, publish, referSegment } from '../put-long.ts';
import { finishRelease } from '../release-references.ts';
import { listRemoved, type Removed } from './list-removed.ts';

export interface RestoreRequest {
  readonly namespace: string;
  readonly key: string;
  /** The one that was removed last if not given. */
  readonly version?: string | undefined;
  /** The name it gets; its own if not given. */
  readonly as?: string | undefined;
  /** What has the name now is overwritten, and can be restored in its turn. */
  readonly overwrite?: boolean | undefined;
}

/** Throws `missing` NOT_IN_TRASH or BLOCKS_SHREDDED, `conflict` NAME_TAKEN. */
export async function restoreObject(components: Components, request: RestoreRequest): Promise<ObjectRow> {
  checkKey(request.as ?? request.key);
  for (let attempt = 0; ; attempt++) {
    const removed = await findRemoved(components, request);
    try {
      return await restoreOne(components, removed, request);
    } catch (error) {
      // Another of the same row was restored, or its grace is over: it is looked for anew.
      if (!isGuardFailure(error) || attempt >= INDEX_ATTEMPTS_MAX) throw error;
    }
  }
}

async function findRemoved(components: Components, { namespace, key, version }: RestoreRequest): Promise<Removed> {
  let last: Removed | undefined;
  for await (const one of listRemoved(components, { namespace, prefix: key }))
    if (one.object.key === key && (version === undefined || one.object.version === version)) last = one;
  if (last !== undefined) return last;
  const what = version === undefined ? '' : ` at version ${shown(version)}`;
  throw missing('NOT_IN_TRASH', `"${shown(key)}"${what} is not in the trash (any more): see pocketful trash ls`);
}

async function restoreOne(components: Components, removed: Removed, request: RestoreRequest): Promise<ObjectRow> {
  const { isOld: _, isNamed: __, ...was } = removed.object;
  const version = newObjectVersion(components.randomness);
  const object: ObjectRow = { ...was, key: request.as ?? request.key, version };
  const ifVersion = request.overwrite ? undefined : 'absent';
  try {
    if (object.blocks !== undefined && (await restoreAtOnce(components, removed, object, ifVersion))) return object;
    return await restoreInSegments(components, removed, object, ifVersion);
  } catch (error) {
    if (!isPocketfulError(error) || error.code !== 'VERSION_MISMATCH') throw error;
    throw conflict(
      'NAME_TAKEN',
      `there is another "${shown(object.key)}" now: say --overwrite, or give a name by --as`,
      error,
    );
  }
}

/** False if it takes more rows than one transaction has. */
async function restoreAtOnce(
  components: Components,
  removed: Removed,
  next: ObjectRow,
  ifVersion: string | undefined,
): Promise<boolean> {
  const change = { namespace: next.namespace, key: next.key, next, ifVersion };
  try {
    const guards = [restoredWrite(removed)];
    const { ok } = await runIndex(components, { changes: [change], fresh: new Map(), guards });
    if (!ok) throw await shredded(components, next.key, next.blocks ?? []);
    return true;
  } catch (error) {
    if (isKind(error, 'conflict') && error.code === 'INDEX_TOO_LONG') return false;
    throw error;
  }
}

/** Its row says no more that it can be restored. References that the row holds are given back all the same. */
function restoredWrite({ row, object, holds }: Removed): Write {
  const { partition, sort } = row;
  const objects = row.objects.map((one) =>
    one.object.version === object.version ? { ...one, isRestored: true } : one,
  );
  const asRead = [removedAs(row)];
  if (holds) return { kind: 'update', partition, sort, ...retellObjects(objects), if: asRead };
  return { kind: 'put', partition, sort, attributes: removedAttributes(objects), if: asRead };
}

/** As an upload whose blocks are all known: seen when it is whole, or given up and its references given back. */
async function restoreInSegments(
  components: Components,
  removed: Removed,
  object: ObjectRow,
  ifVersion: string | undefined,
): Promise<ObjectRow> {
  const { namespace, key, version } = object;
  // Its block list is where removed ones are only when no reference is left to be given back.
  await finishRelease(components, removed.object.version);
  const startedAtMs = Math.max(0, components.clock.nowMs());
  const upload: UploadRow = { version, namespace, key, owner: components.owner, startedAtMs, segments: 0 };
  await beginUpload(components, upload);
  try {
    let segments = 0;
    for await (const blocks of blockLists(components, removed)) {
      if (!(await referSegment(components, upload, segments, blocks))) throw await shredded(components, key, blocks);
      segments += 1;
    }
    const isWhole = removed.object.segments === undefined || removed.object.segments === segments;
    if (!isWhole) throw missing('NOT_IN_TRASH', `the block list of "${shown(key)}" is not in the trash any more`);
    const next: ObjectRow = { ...object, blocks: undefined, segments };
    await publish(components, { upload, ifVersion }, next, [restoredWrite(removed)]);
    return next;
  } catch (error) {
    if (isPocketfulError(error)) await giveUpUpload(components, upload);
    throw error;
  }
}

async function* blockLists(components: Components, { object }: Removed): AsyncGenerator<readonly BlockId[]> {
  const { blocks, version } = object;
  // As many as an object's own list has are one segment.
  if (blocks !== undefined) yield blocks;
  else
    for await (const row of rowsOf(components.panda, removedSegmentPartition(version)))
      yield removedSegmentFromRow(row).blocks;
}

const NAMED_IN_MESSAGE = 3;

/** Names the blocks that are gone. */
async function shredded(components: Components, key: string, blocks: readonly BlockId[]): Promise<Error> {
  const rows = await readBlocks(components.panda, [...new Set(blocks)]);
  const voids = await voidBlocks(components, [...rows.values()]);
  const gone = [...rows].filter(([id, row]) => row === undefined || voids.has(id)).map(([id]) => id);
  if (gone.length === 0) return contended();
  const names = gone.slice(0, NAMED_IN_MESSAGE).map((id) => `${id.slice(0, 16)}…`);
  const more = gone.length > names.length ? ', …' : '';
  return missing(
    'BLOCKS_SHREDDED',
    `"${shown(key)}": ${gone.length} of its blocks were shredded: ${names.join(', ')}${more}`,
  );
}
