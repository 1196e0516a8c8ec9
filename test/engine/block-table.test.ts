// Doctor's table of blocks says what a Map of objects would, whatever is added, changed and left out.
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type BlockFacts, BlockTable } from '../../lib/engine/doctor/block-table.ts';
import type { BlockId, BucketId, ObjectVersion } from '../../lib/foundation/ids.ts';

const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, '0');
/** Some of them have the same hash. */
const idOf = (n: number): BlockId => (hex(n % 5, 8) + hex(n, 48) + hex(n % 3, 8)) as BlockId;
const factsOf = (n: number): BlockFacts => ({
  named: n % 2 === 0 ? (hex(n, 24) as ObjectVersion) : undefined,
  bucket: hex(n % 7, 16) as BucketId,
  slot: n * 1_000_003,
  recordBytes: 2 ** 40 + n,
  refs: n,
  isTrash: n % 3 === 0,
});

it('finds each block with what was said of it, beyond a piece and where hashes are equal', () => {
  const table = new BlockTable();
  const count = 20_000;
  for (let n = 0; n < count; n++) table.add(hex(n * 2_654_435_761, 64) as BlockId, factsOf(n));
  let seen = 0;
  for (const entry of table) {
    expect(entry).toMatchObject({ ...factsOf(seen), id: hex(seen * 2_654_435_761, 64), hasTrashRow: false });
    seen += 1;
    if (seen > 100) break;
  }
  expect(table.size).toBe(count);
  expect(table.get(hex(19_999 * 2_654_435_761, 64) as BlockId)).toMatchObject(factsOf(19_999));
});

it('agrees with a Map', () => {
  const step = fc.tuple(fc.constantFrom('add', 'refer', 'name', 'trash', 'out'), fc.nat(40));
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
      const table = new BlockTable();
      const map = new Map<BlockId, BlockFacts & { hasTrashRow: boolean }>();
      const added = new Set<BlockId>();
      for (const [what, n] of steps) {
        const id = idOf(n);
        const entry = table.get(id);
        const known = map.get(id);
        expect(entry === undefined).toBe(known === undefined);
        if (what === 'add' && !added.has(id)) {
          added.add(id);
          table.add(id, factsOf(n));
          map.set(id, { ...factsOf(n), hasTrashRow: false });
        } else if (entry !== undefined && known !== undefined) {
          if (what === 'refer') {
            entry.refs -= 3;
            map.set(id, { ...known, refs: known.refs - 3 });
          } else if (what === 'name') {
            entry.giveName();
            map.set(id, { ...known, named: undefined });
          } else if (what === 'trash') {
            entry.foundTrashRow();
            map.set(id, { ...known, hasTrashRow: true });
          } else if (what === 'out') {
            entry.leaveOut();
            map.delete(id);
          }
        }
      }
      expect(table.size).toBe(map.size);
      for (const entry of table) expect(entry).toMatchObject(map.get(entry.id) ?? {});
      expect(table.get(undefined)).toBeUndefined();
    }),
  );
});
