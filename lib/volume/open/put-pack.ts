// Writes of directory packs, at seal and before a flip: the same object on each of m+1 columns, once.
import type { Drive } from '../../drive/drive.ts';
import { PACK_HEADER_BYTES, parsePackHeader } from '../../format/directory-pack.ts';
import { DIRECTORY_PACK_NAME } from '../../format/object-names.ts';
import { assert } from '../../foundation/assert.ts';
import { isKind } from '../../foundation/errors.ts';
import type { Write } from '../../panda/panda.ts';
import { formatIsAsIn, isFormatBeforePacks, raiseFormat, storeKey } from '../../panda/rows/store-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import { extentOf, type ReadPorts } from '../read/read-column.ts';
import type { Components } from '../rows/components.ts';
import { packRoomBytes } from '../rows/directory-room.ts';
import { transact } from '../rows/transact.ts';

/** What was kept free for it sufficed. */
export function assertPackFits(volume: VolumeRow, pack: readonly Uint8Array[]): void {
  const bytes = pack.reduce((sum, part) => sum + part.length, 0);
  const room = packRoomBytes(volume);
  assert(room === undefined || bytes <= room, `a directory pack of ${bytes} bytes fits the ${room} kept for it`);
}

/**
 * Stores it, or finds the one that an earlier attempt stored, which may list slots that have died since: harmless. Its
 * bytes.
 */
export async function putPack(
  { components, health }: ReadPorts,
  volume: VolumeRow,
  column: number,
  pack: readonly Uint8Array[],
): Promise<number> {
  const { drive: id, zone, zoneGeneration } = extentOf(volume, column);
  const drive = components.drives[id] as Drive;
  const at = { zone, generation: zoneGeneration };
  try {
    try {
      await drive.append(at, DIRECTORY_PACK_NAME, pack);
      return pack.reduce((sum, part) => sum + part.length, 0);
    } catch (error) {
      if (!isKind(error, 'conflict')) throw error;
    }
    const head = await drive.read(at, DIRECTORY_PACK_NAME, { offset: 0, length: PACK_HEADER_BYTES });
    const owner = { storeId: components.storeId, volumeId: volume.id, generation: volume.generation };
    return parsePackHeader(head, owner).totalBytes;
  } catch (error) {
    health.failed(id, error);
    throw error;
  }
}

/**
 * Before the first pack: a release that does not look for packs must refuse the store rather than take its directories
 * for lost.
 */
export async function knowsPacks(components: Components): Promise<void> {
  const row = await components.panda.get(storeKey);
  if (row === undefined || !isFormatBeforePacks(row)) return;
  const isRaised = async (): Promise<boolean> => {
    const now = await components.panda.get(storeKey);
    return now !== undefined && !isFormatBeforePacks(now);
  };
  const raise: Write = { kind: 'update', ...storeKey, ...raiseFormat, if: [formatIsAsIn(row)] };
  try {
    await transact(components, [raise], isRaised);
  } catch (error) {
    if (!isKind(error, 'conflict') || !(await isRaised())) throw error;
  }
}
