// A store with namespaces that are kept apart, beside one that is not, for tests of lanes.
import { compact } from '../../lib/compaction/do/rounds.ts';
import { changeOperating } from '../../lib/compaction/run/operating-row.ts';
import { rewriteWasteful } from '../../lib/engine/upkeep/rewrite-wasteful.ts';
import { type Lane, SHARED_LANE } from '../../lib/foundation/lane.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { collectGarbage } from '../../lib/gc/collect-garbage.ts';
import { encodeHot } from '../../lib/live-coder/encode-hot.ts';
import { blockFromRow, blockPartitions } from '../../lib/panda/rows/block-row.ts';
import { laneOf, type VolumeRow } from '../../lib/panda/rows/volume-row.ts';
import { laneOfNamespace } from '../../lib/volume/rows/lane-numbers.ts';
import { listBuckets, listVolumes, rowsOf } from '../../lib/volume/rows/read-rows.ts';
import { freeTrash } from '../../lib/volume/runs/free.ts';
import { batchesOf, SMALL } from '../compaction/acting-world.ts';
import { type Process, type StartOptions, World } from './harness.ts';

export const LEAVER = 'leaver';
export const STAYER = 'stayer';
export const OTHER = 'other';
export const LANES: Readonly<Record<string, Lane>> = {
  [LEAVER]: laneOfNamespace(LEAVER),
  [STAYER]: laneOfNamespace(STAYER),
  [OTHER]: SHARED_LANE,
};

export async function storeOf(apart: string | null, options: StartOptions = {}): Promise<{ world: World; p: Process }> {
  const world = new World(5, SMALL, 6);
  const p = world.start({ ...options, knowsLanes: true });
  await changeOperating(p.components, (before) => ({ ...before, namespacesApart: apart }));
  return { world, p };
}

export const keysOf = (count: number): string[] => Array.from({ length: count }, (_, i) => `f/${i}`);

/** In turns, so that what is not kept apart is mixed. */
export async function putInTurns(p: Process, count: number, seed = 1): Promise<Map<string, Uint8Array>> {
  const random = new SeededRandomness(seed);
  const bodies = new Map<string, Uint8Array>();
  const items = keysOf(count).flatMap((key) =>
    Object.keys(LANES).map((namespace) => {
      const body = random.bytes(200 + random.below(1500));
      bodies.set(`${namespace}/${key}`, body);
      return { namespace, key, body };
    }),
  );
  for await (const outcome of p.frontend.putAll(items)) if (!outcome.ok) throw outcome.error;
  return bodies;
}

export const volumesOf = ({ components }: Process): Promise<VolumeRow[]> =>
  listVolumes(components.panda, components.settings.cell);

/** By namespace: the lanes of the volumes that hold its blocks. */
export async function lanesOf(p: Process): Promise<Record<string, Lane[]>> {
  const { panda, settings } = p.components;
  const volumes = new Map((await volumesOf(p)).map((volume) => [volume.id, volume]));
  const homes = new Map((await listBuckets(panda, settings.cell)).map(({ id, volume }) => [id, volume]));
  const lanes = new Map<string, Lane>();
  for (const partition of blockPartitions())
    for await (const row of rowsOf(panda, partition)) {
      const block = blockFromRow(row);
      lanes.set(block.id, laneOf(volumes.get(homes.get(block.bucket) as VolumeRow['id']) as VolumeRow));
    }
  const found: Record<string, Lane[]> = {};
  for (const namespace of Object.keys(LANES)) {
    const its = new Set<Lane>();
    for (const { key } of (await p.frontend.list({ namespace, limit: 1000 })).objects) {
      const { blocks = [] } = await p.frontend.head(namespace, key);
      for (const id of blocks) its.add(lanes.get(id) as Lane);
    }
    found[namespace] = [...its];
  }
  return found;
}

export const APART = Object.fromEntries(Object.entries(LANES).map(([namespace, lane]) => [namespace, [lane]]));

/** The last coded volume of each lane stays open. */
export async function encodeAll(p: Process): Promise<void> {
  await p.volumes.open.sealAll('hot');
  await encodeHot(p.volumes, { force: true, flush: true });
  await freeTrash(p.volumes);
}

export async function deleteAll(p: Process, namespace: string, keys: readonly string[]): Promise<void> {
  for await (const outcome of p.frontend.deleteAll(keys.map((key) => ({ namespace, key }))))
    if (!outcome.ok) throw outcome.error;
  await collectGarbage(p.components);
}

/** What upkeep does until nothing is left to do: bytes that it moved. */
export async function compactAll(p: Process): Promise<number> {
  const { rewrittenBytes } = await rewriteWasteful(p.volumes, { force: true });
  const { runs } = await compact(batchesOf(p), { untilStable: true });
  await freeTrash(p.volumes);
  return runs.reduce((sum, { movedBytes, hostBytes }) => sum + movedBytes + hostBytes, rewrittenBytes);
}

/** By lane and volume: which buckets lie there. */
export const placesOf = async (p: Process, lanes: readonly Lane[]): Promise<Map<string, string[]>> =>
  new Map((await volumesOf(p)).filter((v) => lanes.includes(laneOf(v))).map((v) => [v.id, [...v.buckets].sort()]));
