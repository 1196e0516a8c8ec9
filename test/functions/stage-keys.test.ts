// The key versions of a stage beside its journal: the bytes as they were first written, whatever is thrown at their
// parser, and which of several revisions counts.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { keepStageKeys, stageKeysOn } from '../../lib/engine/journal/stage-keys.ts';
import { type KeksRow, keksAttributes, keksKey } from '../../lib/engine/wire/keks-row.ts';
import { isPocketfulError } from '../../lib/foundation/errors.ts';
import { bytesOf, hexOf } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { Shelves } from '../../lib/journal/shelves.ts';
import { MemoryShelf } from '../journal/memory-shelf.ts';

const NAME = 'keys-00000103';
/** The first version is destroyed. */
const KEYS: KeksRow = {
  revision: 0x103,
  keks: [
    { version: 1, createdAtMs: 1_767_225_600_000, state: 'destroyed' },
    {
      version: 2,
      createdAtMs: 1_767_225_600_001,
      state: 'previous',
      material: new Uint8Array(bytesOf('a0a1a2a3a4a5a6a7')),
    },
    {
      version: 3,
      createdAtMs: 1_767_225_600_002,
      state: 'current',
      material: new Uint8Array(bytesOf('b0b1b2b3b4b5b6b7b8')),
    },
  ],
};
const rowOf = (keys: KeksRow) => ({ ...keksKey, attributes: keksAttributes(keys) });
const places = (shelves: readonly MemoryShelf[]) =>
  shelves.map((shelf, drive) => ({ drive, shelf, domain: `${drive}`, isActive: true }));
const shelvesOf = (...shelves: readonly MemoryShelf[]): Shelves => new Shelves(places(shelves), 2);

async function kept(...revisions: readonly KeksRow[]): Promise<MemoryShelf[]> {
  const shelves = [new MemoryShelf('a'), new MemoryShelf('b')];
  for (const keys of revisions) await keepStageKeys(shelvesOf(...shelves), rowOf(keys));
  return shelves;
}

it('are written as they always were', async () => {
  const text = readFileSync(new URL('golden/keys.v1.hex', import.meta.url), 'utf8');
  const golden = text.replaceAll(/#.*$/gm, '').replaceAll(/\s/g, '');
  const shelves = await kept(KEYS);
  for (const { objects } of shelves) {
    expect([...objects.keys()]).toEqual([`0/${NAME}`]);
    expect(hexOf(objects.get(`0/${NAME}`) as Uint8Array)).toBe(golden);
  }
  expect(await stageKeysOn(shelvesOf(...shelves))).toEqual(KEYS);
});

it('of a later revision take the place of those before, and count while both are there', async () => {
  const later = { ...KEYS, revision: 0x104 };
  const shelves = await kept(KEYS, later);
  expect(shelves.flatMap(({ objects }) => [...objects.keys()])).toEqual(['0/keys-00000104', '0/keys-00000104']);
  const [before] = await kept(KEYS);
  expect(await stageKeysOn(shelvesOf(before as MemoryShelf, shelves[1] as MemoryShelf))).toEqual(later);
});

it('are those of a bucket that has them sound, and missing where none has', async () => {
  for (const damage of damages()) {
    const shelves = await kept(KEYS);
    damaged(shelves[0] as MemoryShelf, damage);
    expect(await stageKeysOn(shelvesOf(...shelves))).toEqual(KEYS);
    damaged(shelves[1] as MemoryShelf, damage);
    await expect(stageKeysOn(shelvesOf(...shelves))).rejects.toMatchObject({ code: 'JOURNAL_MISSING' });
  }
});

it('under the name of another revision are none', async () => {
  const [shelf] = await kept(KEYS);
  const bytes = shelf?.objects.get(`0/${NAME}`) as Uint8Array;
  const other = new MemoryShelf('other');
  await other.put(0, 'keys-00000104', [bytes]);
  const error: unknown = await stageKeysOn(shelvesOf(other)).catch((thrown: unknown) => thrown);
  expect(isPocketfulError(error) && error.code).toBe('JOURNAL_MISSING');
  expect(String((error as Error).cause)).toContain('is another one');
});

type Damage = (bytes: Uint8Array) => Uint8Array;

function damaged(shelf: MemoryShelf, damage: Damage): void {
  const objects = shelf.objects as Map<string, Uint8Array>;
  objects.set(`0/${NAME}`, damage((objects.get(`0/${NAME}`) as Uint8Array).slice()));
}

/** Each byte changed, each end cut off, and whatever comes. */
function* damages(): Generator<Damage> {
  const { length } = readFileSync(new URL('golden/keys.v1.hex', import.meta.url), 'utf8')
    .replaceAll(/#.*$/gm, '')
    .replaceAll(/\s/g, '');
  for (let at = 0; at < length / 2; at++) {
    yield (bytes) => bytes.map((byte, i) => (i === at ? byte ^ (1 << (at % 8)) : byte));
    yield (bytes) => bytes.subarray(0, at);
  }
  for (let seed = 0; seed < 100; seed++) yield () => new SeededRandomness(seed).bytes(1 + (seed % 90));
}
