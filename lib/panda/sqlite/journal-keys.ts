// The keys of one COMMIT as bytes: of each the varint lengths of partition and sort key, then the two.
import { corrupt } from '../../foundation/errors.ts';
import type { Key } from '../panda.ts';

export function journalKeysOf(keys: readonly Key[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { partition, sort } of keys) {
    const [a, b] = [Buffer.from(partition), Buffer.from(sort)];
    parts.push(Buffer.from([...short(a.byteLength), ...short(b.byteLength)]), a, b);
  }
  return Buffer.concat(parts);
}

/** Lengths of keys are below 2^14. */
const short = (length: number): number[] => (length < 0x80 ? [length] : [(length & 0x7f) | 0x80, length >> 7]);

export function* keysOfJournal(bytes: Uint8Array): Generator<Key> {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const length = (): number => {
    const low = view[at++] ?? 0;
    return low < 0x80 ? low : (low & 0x7f) + (view[at++] ?? 0) * 0x80;
  };
  while (at < view.byteLength) {
    const [a, b] = [length(), length()];
    if (at + a + b > view.byteLength || a === 0 || b === 0)
      throw corrupt('ROW_MALFORMED', 'the journal of the metadata is damaged: a key is cut off');
    yield { partition: view.toString('utf8', at, at + a), sort: view.toString('utf8', at + a, at + a + b) };
    at += a + b;
  }
}
