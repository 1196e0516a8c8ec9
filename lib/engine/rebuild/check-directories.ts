// Whether the directories that lie on a column lead to every record that was placed in its volume, and which slots they
// list. Those of a Panda which is lost may not lead there: what died after the backup is alive again, and a directory
// lists what was alive when it was written. And they may list what no drive holds any more.
import type { Drive } from '../../drive/drive.ts';
import { parseBucketDirectory } from '../../format/bucket-directory.ts';
import { PACK_HEADER_BYTES, type PackOwner, parsePackHeader, parsePackIndex } from '../../format/directory-pack.ts';
import { bucketDirectoryName, DIRECTORY_PACK_NAME } from '../../format/object-names.ts';
import { isPocketfulError } from '../../foundation/errors.ts';
import type { BucketId } from '../../foundation/ids.ts';
import { WHOLE_PACK_BYTES_MAX } from '../../limits/reads.ts';
import type { Extent } from '../../panda/rows/volume-row.ts';
import { leadsToAll } from '../../volume/open/put-pack.ts';

export interface DirectoriesWanted {
  /** An encoded directory of what was placed, by bucket. */
  readonly placed: ReadonlyMap<BucketId, Uint8Array>;
  /** Raised to what the directories list of each bucket: all slots are below that. */
  readonly slotsListed: Map<BucketId, number>;
}

export async function leadsToPlaced(
  drives: readonly Drive[],
  { drive, zone, zoneGeneration }: Extent,
  owner: PackOwner,
  { placed, slotsListed }: DirectoriesWanted,
): Promise<boolean> {
  const read: Read = async (name, range) =>
    (drives[drive] as Drive).read({ zone, generation: zoneGeneration }, name, range);
  try {
    const pack = await packOf(read, owner);
    let isLeading = true;
    for (const [bucket, directory] of placed) {
      const bytes = pack === undefined ? await read(bucketDirectoryName(bucket)) : await pack(bucket);
      const found = bytes === undefined ? undefined : parseBucketDirectory(bytes, { ...owner, bucket });
      for (const [slot] of found?.entries ?? [])
        slotsListed.set(bucket, Math.max(slotsListed.get(bucket) ?? 0, slot + 1));
      isLeading &&= found !== undefined && leadsToAll(found, parseBucketDirectory(directory, { ...owner, bucket }));
    }
    return isLeading;
  } catch (error) {
    if (!isPocketfulError(error) || error.kind === 'invalid') throw error; // an unknown version is not damage
    return false;
  }
}

type Read = (name: string, range?: { readonly offset: number; readonly length: number }) => Promise<Uint8Array>;

/** Undefined: the volume was sealed before there were packs. */
async function packOf(
  read: Read,
  owner: PackOwner,
): Promise<((bucket: BucketId) => Promise<Uint8Array | undefined>) | undefined> {
  const part = (offset: number, length: number) => read(DIRECTORY_PACK_NAME, { offset, length });
  let head: Uint8Array;
  try {
    head = await part(0, PACK_HEADER_BYTES);
  } catch (error) {
    if (isPocketfulError(error) && error.kind === 'missing') return undefined;
    throw error;
  }
  const header = parsePackHeader(head, owner);
  const whole = header.totalBytes <= WHOLE_PACK_BYTES_MAX ? await part(0, header.totalBytes) : undefined;
  const index = parsePackIndex(header, whole ?? (await part(0, header.headBytes)));
  const entries = new Map(index.map((entry) => [entry.bucket, entry]));
  return async (bucket) => {
    const entry = entries.get(bucket);
    if (entry === undefined) return undefined;
    return whole?.subarray(entry.offset, entry.offset + entry.length) ?? part(entry.offset, entry.length);
  };
}
