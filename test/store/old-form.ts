// Stores as releases before directory packs left them: the directory of every bucket an object of its own.
import { parsePackHeader, parsePackIndex } from '../../lib/format/directory-pack.ts';
import { bucketDirectoryName, DIRECTORY_PACK_NAME } from '../../lib/format/object-names.ts';
import type { World } from './harness.ts';

/** Unpacks every directory pack on the drives; how many there were. Zones cannot be changed, so they are written anew. */
export async function toOldForm({ drives }: World): Promise<number> {
  let packs = 0;
  for (const drive of drives)
    for (const at of await drive.zones()) {
      const names = (await drive.list(at)).map(({ name }) => name);
      if (!names.includes(DIRECTORY_PACK_NAME)) continue;
      const objects = new Map<string, Uint8Array>();
      for (const name of names) objects.set(name, await drive.read(at, name));
      const pack = objects.get(DIRECTORY_PACK_NAME) as Uint8Array;
      objects.delete(DIRECTORY_PACK_NAME);
      for (const { bucket, offset, length } of parsePackIndex(parsePackHeader(pack), pack))
        objects.set(bucketDirectoryName(bucket), pack.slice(offset, offset + length));
      await drive.erase(at);
      for (const [name, bytes] of objects) await drive.append(at, name, [bytes]);
      packs += 1;
    }
  return packs;
}

/** Names of objects that begin so, on all drives. */
export async function objectsNamed({ drives }: World, start: string): Promise<number> {
  let count = 0;
  for (const drive of drives)
    for (const at of await drive.zones())
      for (const { name } of await drive.list(at)) if (name.startsWith(start)) count += 1;
  return count;
}
