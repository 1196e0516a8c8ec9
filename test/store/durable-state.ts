// What a dead process leaves, as one digest: every row, every object on a drive, the time, and what was acknowledged. Recovery is
// seeded, so from the same state it does the same: a crash test looks at each state once, however many deaths lead to it.
import { createHash, type Hash } from 'node:crypto';
import type { World } from './harness.ts';

/** What was acknowledged, in this order: text, bytes, or neither where there is nothing. */
export type Acknowledged = readonly (string | Uint8Array | undefined)[];

export async function durableState(world: World, acknowledged: Acknowledged): Promise<string> {
  const hash = createHash('sha256').update(`${world.clock.nowMs()} ${world.clock.monotonicMs()}`);
  hash.update(JSON.stringify(world.panda.snapshot(), plain));
  for (const drive of world.drives)
    for (const at of await drive.zones())
      for (const { name } of await drive.list(at))
        add(add(hash, `${drive.label}/${at.zone}/${at.generation}/${name}`), await drive.read(at, name));
  for (const item of acknowledged) add(hash, item);
  return hash.digest('base64');
}

/** With its kind and length in front: no two lists give the same bytes. */
function add(hash: Hash, item: string | Uint8Array | undefined): Hash {
  if (item === undefined) return hash.update('|-');
  const bytes = typeof item === 'string' ? Buffer.from(item) : item;
  return hash.update(`|${typeof item} ${bytes.length}:`).update(bytes);
}

const plain = (_: string, value: unknown): unknown => {
  if (value instanceof Set) return [...value].sort();
  return value instanceof Uint8Array
    ? Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1')
    : value;
};
