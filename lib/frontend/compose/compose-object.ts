// COMPOSE: a new object of what other objects hold, one after the other. No byte moves: each of their blocks is
// referred to once more, which takes it out of trash where it must. It is a put in everything else. A copy has one
// source, and an upload in parts that is completed has its parts.
import { assert } from '../../foundation/assert.ts';
import { conflict, invalid, isPocketfulError } from '../../foundation/errors.ts';
import { type BlockId, newObjectVersion, type ObjectVersion } from '../../foundation/ids.ts';
import { MANIFEST_BYTES_MAX } from '../../limits/frontend.ts';
import { BLOCKS_INLINE_MAX } from '../../limits/panda.ts';
import type { Write } from '../../panda/panda.ts';
import { type ObjectRow, objectKey, versionIs } from '../../panda/rows/object-row.ts';
import { etagOf } from '../../panda/rows/objects/object-form.ts';
import { manifestBytes, type PartRun, runsOf } from '../../panda/rows/objects/object-parts.ts';
import type { Components } from '../../volume/rows/components.ts';
import type { VolumeStore } from '../../volume/volume-store.ts';
import { headObject } from '../get-object.ts';
import { isGuardFailure, runIndex } from '../index-objects.ts';
import { checkKey, checkMetadata, checkNamespace, checkSystem, shown } from '../object-keys.ts';
import type { ObjectFacts } from '../put-item.ts';
import { beginUpload, giveUpUpload, publish, referSegment } from '../put-long.ts';
import { blockIdsOf } from './block-ids.ts';

export interface ComposeRequest {
  readonly namespace: string;
  readonly key: string;
  /** In order. With a version: only if it is at that one. */
  readonly sources: readonly ComposeSource[];
  /** Each source is a part of the new object; else it has the parts of its only source, if there are any. */
  readonly areParts?: boolean | undefined;
  readonly metadata?: string | undefined;
  readonly facts?: ObjectFacts | undefined;
  readonly ifVersion?: ObjectVersion | 'absent' | undefined;
  /** An object without content that goes in the same transaction: what the new one was noted down by till then. */
  readonly ends?: ComposeSource | undefined;
}

export interface ComposeSource {
  readonly namespace: string;
  readonly key: string;
  readonly version?: string | undefined;
}

export async function composeObject(store: VolumeStore, request: ComposeRequest): Promise<ObjectRow> {
  const { components } = store;
  checkNamespace(request.namespace);
  checkKey(request.key);
  checkMetadata(request.metadata);
  checkSystem(request.facts?.system);
  const sources: ObjectRow[] = [];
  for (const source of request.sources) sources.push(await sourceOf(store, source));
  const next = newRow(components, request, sources);
  const ids: BlockId[] = [];
  for (const source of sources) for await (const id of blockIdsOf(store, source)) ids.push(id);
  const ends = await endWrites(store, request.ends);
  if (ids.length > BLOCKS_INLINE_MAX) return composeLong(components, request, next, ids, ends);
  const object: ObjectRow = { ...next, blocks: ids, etag: etagOf(ids), segments: undefined };
  const { namespace, key, ifVersion } = request;
  const change = { namespace, key, next: object, ifVersion };
  try {
    const outcome = await runIndex(components, { changes: [change], fresh: new Map(), guards: ends });
    if (!outcome.ok) throw sourceChanged(key);
  } catch (error) {
    throw isGuardFailure(error) ? sourceChanged(key) : error;
  }
  return object;
}

async function endWrites(store: VolumeStore, source: ComposeSource | undefined): Promise<Write[]> {
  if (source === undefined) return [];
  const object = await sourceOf(store, source);
  assert(object.sizeBytes === 0 && object.blocks?.length === 0, 'what ends has no content to be given back');
  return [{ kind: 'delete', ...objectKey(object.namespace, object.key), if: versionIs(object) }];
}

async function sourceOf(store: VolumeStore, { namespace, key, version }: ComposeSource): Promise<ObjectRow> {
  const object = await headObject(store, namespace, key);
  if (version !== undefined && object.version !== version) throw sourceChanged(key);
  if (object.blockBytes !== store.components.settings.blockBytesMax)
    throw invalid('BLOCKS_UNFIT', `"${shown(key)}" is cut into other blocks than this store's: put it anew`);
  return object;
}

type NewRow = Omit<ObjectRow, 'blocks' | 'segments' | 'etag'>;

function newRow(components: Components, request: ComposeRequest, sources: readonly ObjectRow[]): NewRow {
  const parts = partsOf(request, sources);
  if (parts !== undefined && manifestBytes(parts) > MANIFEST_BYTES_MAX)
    throw invalid('PARTS_TOO_MANY', 'parts of too many different lengths: give all but the last one the same');
  return {
    namespace: request.namespace,
    key: request.key,
    version: newObjectVersion(components.randomness),
    sizeBytes: sources.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    blockBytes: components.settings.blockBytesMax,
    createdAtMs: Math.max(0, components.clock.nowMs()),
    metadata: request.metadata,
    ...request.facts,
    ...(parts === undefined ? {} : { parts }),
  };
}

function partsOf({ areParts = false }: ComposeRequest, sources: readonly ObjectRow[]): PartRun[] | undefined {
  if (!areParts) return sources[0]?.parts === undefined ? undefined : [...sources[0].parts];
  return runsOf(sources.map(({ sizeBytes }) => sizeBytes));
}

/** As an upload whose blocks are all known: seen when it is whole, or given up and its references given back. */
async function composeLong(
  components: Components,
  { ifVersion }: ComposeRequest,
  next: NewRow,
  ids: readonly BlockId[],
  ends: readonly Write[],
): Promise<ObjectRow> {
  const { namespace, key, version, createdAtMs } = next;
  const upload = { version, namespace, key, owner: components.owner, startedAtMs: createdAtMs, segments: 0 };
  await beginUpload(components, upload);
  let segments = 0;
  try {
    for (let at = 0; at < ids.length; at += BLOCKS_INLINE_MAX)
      if (!(await referSegment(components, upload, segments++, ids.slice(at, at + BLOCKS_INLINE_MAX))))
        throw sourceChanged(key);
    const object: ObjectRow = { ...next, blocks: undefined, etag: etagOf(ids), segments };
    await publish(components, { upload, ifVersion }, object, ends);
    return object;
  } catch (error) {
    if (isPocketfulError(error)) await giveUpUpload(components, upload);
    throw isGuardFailure(error) ? sourceChanged(key) : error;
  }
}

const sourceChanged = (key: string): Error =>
  conflict('OBJECT_CHANGED', `what "${shown(key)}" is made of was overwritten or deleted meanwhile`);
