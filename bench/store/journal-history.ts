// A long history of puts as the journal sees it: the rows that a put of one block makes, shipped each second of a
// simulated clock onto directories, and tended as a process that writes does. Contents are not put: what is measured is
// what the metadata costs.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../../lib/drive/directory-create.ts';
import { MARKER, markerText } from '../../lib/drive/directory-marker.ts';
import { DirectoryShelf } from '../../lib/drive/directory-shelf.ts';
import { TEND_EVERY_SHIPPINGS } from '../../lib/engine/ship/store-journal.ts';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import {
  blockId,
  bucketId,
  driveId,
  type ObjectVersion,
  type RecordId,
  storeId,
  volumeId,
} from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { Shelves } from '../../lib/journal/shelves.ts';
import { ship } from '../../lib/journal/ship.ts';
import { type TendPorts, tendLadder } from '../../lib/journal/tend.ts';
import { newestOf, waysOf } from '../../lib/journal/way.ts';
import type { Write } from '../../lib/panda/panda.ts';
import { blockAttributes, blockKey } from '../../lib/panda/rows/block-row.ts';
import { objectAttributes, objectKey } from '../../lib/panda/rows/object-row.ts';
import { storeKey } from '../../lib/panda/rows/store-row.ts';
import { SqliteJournal } from '../../lib/panda/sqlite/sqlite-journal.ts';
import { SqlitePanda } from '../../lib/panda/sqlite/sqlite-panda.ts';

export const STORE = storeId('0123456789abcdef0123456789abcdef');
export const KEK = { version: 1, key: new Uint8Array(32).fill(7) };
export const COPIES = 4;
export const DRIVES = 8;
const PUTS_PER_COMMIT = 50;

export interface History {
  readonly puts: number;
  readonly shippedBytes: number;
  readonly mergedBytes: number;
  readonly snapshotBytes: number;
  readonly merges: number;
  readonly snapshots: number;
  /** The most segments that a restore would have read at any time. */
  readonly wayMax: number;
  /** Of all copies on all drives, at the end. */
  readonly bytesOnDrives: number;
}

export function shelvesIn(folder: string): Shelves {
  const places = [];
  for (let drive = 0; drive < DRIVES; drive++) {
    const path = join(folder, `drive-${drive}`);
    const identity = { storeId: STORE, driveId: driveId(drive) };
    mkdirSync(join(path, temporaryFolder(identity)), { recursive: true });
    writeFileSync(join(path, MARKER), markerText(identity));
    places.push({ drive, domain: `${drive}`, isActive: true, shelf: new DirectoryShelf(path, identity) });
  }
  return new Shelves(places, COPIES);
}

/** The end of a history comes as slowly: then segments are small, and are merged through all levels. */
const SLOW_PER_SECOND = 10;
/** Of the puts, so many or a tenth: each second of them is a shipping of its own. */
const SLOW_PUTS_MAX = 20_000;

/** Puts `puts` objects, most of them `perSecond` in a second; `beforeTending` may look at the ladder each time. */
export async function playPuts(
  folder: string,
  puts: number,
  perSecond: number,
  beforeTending: (shelves: Shelves) => Promise<void>,
): Promise<History> {
  const clock = new SimulatedClock();
  const path = join(folder, 'panda.sqlite');
  const panda = await SqlitePanda.open(path, { clock });
  await panda.transact([{ kind: 'put', ...storeKey, attributes: { ep: 0 } }]);
  const shelves = shelvesIn(folder);
  const source = new SqliteJournal(path);
  const randomness = new SeededRandomness(1);
  const ports: TendPorts = {
    ...{ storeId: STORE, clock, randomness, source, owner: 'bench', isOwnerGone: () => false },
    shelvesOf: () => shelves,
    kekOf: async () => KEK.key,
    currentKek: async () => KEK,
  };
  const sums = { shippedBytes: 0, mergedBytes: 0, snapshotBytes: 0, merges: 0, snapshots: 0, wayMax: 0 };
  let shippings = 0;
  for (let put = 0; put < puts; ) {
    const pace = put < puts - Math.min(0.1 * puts, SLOW_PUTS_MAX) ? perSecond : SLOW_PER_SECOND;
    for (const end = Math.min(puts, put + pace); put < end; ) {
      const next = Math.min(end, put + PUTS_PER_COMMIT);
      await panda.transact(Array.from({ length: next - put }, (_, i) => rowsOfPut(put + i, randomness)).flat());
      put = next;
    }
    clock.advance(1000);
    sums.shippedBytes += (await ship(ports)).segment?.bytes ?? 0;
    shippings += 1;
    if (shippings % TEND_EVERY_SHIPPINGS > 0 && put < puts) continue;
    await beforeTending(shelves);
    const tended = await tendLadder(ports);
    sums.merges += tended?.merges ?? 0;
    sums.mergedBytes += tended?.mergedBytes ?? 0;
    sums.snapshotBytes += tended?.snapshotBytes ?? 0;
    if (tended?.snapshot !== 'none') sums.snapshots += 1;
    const way = newestOf(waysOf((await shelves.list()).segments))?.way.length ?? 0;
    sums.wayMax = Math.max(sums.wayMax, way);
  }
  const { bytes } = await shelves.list();
  source.close();
  await panda.close();
  return { puts, ...sums, bytesOnDrives: bytes };
}

const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, '0');

/** The block's row and the object's: ids, keys and hashes as random as they are. */
function rowsOfPut(put: number, randomness: SeededRandomness): Write[] {
  const digest = createHash('sha256').update(String(put)).digest('hex');
  const volume = volumeId(hex(1 + Math.floor(put / 100_000), 16));
  const block = blockId(digest);
  const version = hex(put + 1, 24) as ObjectVersion;
  const hint = { volume, generation: 1, seq: 1 + (put >> 6), token: 1, column: put % 9, offset: (put % 64) * 20_000 };
  const blockRow = {
    ...{ cell: 'default', bucket: bucketId(hex(1 + (put >> 9), 16)), slot: put % 512, recordBytes: 20_000, hint },
    recordId: createHash('sha256').update(digest).digest('hex').slice(0, 32) as RecordId,
    ...{ plaintextBytes: 19_900, refs: 1, state: 'live' as const, wrappedBek: randomness.bytes(60), kekVersion: 1 },
    named: version,
  } as const;
  const key = `mail/${hex(put >> 10, 6)}/${digest.slice(0, 12)}.eml`;
  const object = {
    ...{ version, etag: digest, sizeBytes: 19_900, blockBytes: 19_900, createdAtMs: 1_767_225_600_000 + put },
    ...{ blocks: [block], segments: undefined, metadata: undefined },
  };
  return [
    { kind: 'put', ...blockKey(block), attributes: blockAttributes(blockRow) },
    { kind: 'put', ...objectKey('default', key), attributes: objectAttributes(object) },
  ];
}
