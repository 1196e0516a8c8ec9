// What others do to rows meanwhile: to every row of the kind, as it is then.
import type { Row, Write } from '../../../lib/panda/panda.ts';
import type { Change } from '../../../lib/panda/rows/change.ts';
import { type VolumeRow, volumeFromRow, volumeKey } from '../../../lib/panda/rows/volume-row.ts';
import { zoneAttributes, zoneKey } from '../../../lib/panda/rows/zone-row.ts';
import type { Meanwhile } from './lines.ts';

const CELL = 'c0';
/** Half a minute after the clock of a world begins. */
const LATER_MS = Date.UTC(2026, 0, 1) + 30_000;
const ANOTHER_RUN = 'l1/another/000000000009';
const ANOTHER_VOLUME = 'ffffffffffffffff';

const isOf =
  (table: string) =>
  ({ partition }: Row): boolean =>
    partition.startsWith(`${table}/`);

export const volumesIn = (rows: readonly Row[]): VolumeRow[] => rows.filter(isOf('volume')).map(volumeFromRow);

const volumes =
  (isHit: (volume: VolumeRow) => boolean, change: (volume: VolumeRow) => Change): Meanwhile =>
  (rows) =>
    volumesIn(rows)
      .filter(isHit)
      .map((volume): Write => ({ kind: 'update', ...volumeKey(CELL, volume.id), ...change(volume) }));

const deleted =
  (table: string): Meanwhile =>
  (rows) =>
    rows.filter(isOf(table)).map(({ partition, sort }): Write => ({ kind: 'delete', partition, sort }));

const updated =
  (table: string, change: (row: Row) => Change): Meanwhile =>
  (rows) =>
    rows.filter(isOf(table)).map(
      ({ partition, sort, attributes }): Write => ({
        kind: 'update',
        partition,
        sort,
        ...change({ partition, sort, attributes }),
      }),
    );

const isOpen = ({ state }: VolumeRow): boolean => state === 'open';
const isOwned = ({ owner }: VolumeRow): boolean => owner !== undefined;
const isPending = ({ pendingSeq }: VolumeRow): boolean => pendingSeq !== undefined;
const drains = ({ state }: VolumeRow): boolean => state === 'draining';

export const OPEN = {
  leased: volumes(isOpen, ({ token }) => ({ set: { t: token + 1, o: 'another', e: LATER_MS } })),
  'leased and given back': volumes(isOpen, ({ token }) => ({ set: { t: token + 1 }, remove: ['o', 'e'] })),
  'given back': volumes(isOwned, () => ({ remove: ['o', 'e'] })),
  sealed: volumes(isOpen, ({ token }) => ({ set: { t: token + 1, s: 'sealed', z: 7 }, remove: ['o', 'e', 'p', 'ob'] })),
  gone: deleted('volume'),
} as const;

export const PENDING = {
  ...OPEN,
  settled: volumes(isPending, () => ({ remove: ['p'] })),
  'recovered by another': volumes(isPending, ({ token }) => ({ set: { t: token + 1 }, remove: ['p', 'o', 'e'] })),
  'group rows gone': deleted('group'),
} as const;

export const SEALED = {
  'taken by a run': volumes(
    ({ state }) => state === 'sealed',
    () => ({ set: { s: 'draining', r: ANOTHER_RUN } }),
  ),
  'taken over': volumes(drains, () => ({ set: { r: ANOTHER_RUN } })),
  'given up': volumes(drains, () => ({ set: { s: 'sealed' }, remove: ['r'] })),
  flipped: volumes(
    ({ state }) => state !== 'open',
    ({ generation }) => ({ set: { g: generation + 1 }, remove: ['ng', 'nx'] }),
  ),
  repaired: volumes(
    ({ state }) => state !== 'open',
    ({ revision }) => ({ set: { rv: revision + 1 }, remove: ['rg', 'rx'] }),
  ),
  retired: volumes(drains, () => ({ set: { s: 'trash', d: 7 }, remove: ['r', 'dp'] })),
  'seal at its end': volumes(
    ({ directoriesPending }) => directoriesPending,
    () => ({ remove: ['dp', 'db'] }),
  ),
  gone: OPEN.gone,
} as const;

export const TRASH = {
  erasing: volumes(
    ({ state }) => state === 'trash',
    () => ({ set: { s: 'erasing' } }),
  ),
  'gone from trash': (rows: readonly Row[]): readonly Write[] =>
    volumesIn(rows)
      .filter(({ state }) => state === 'trash' || state === 'erasing')
      .map(({ id }): Write => ({ kind: 'delete', ...volumeKey(CELL, id) })),
} as const;

export const BUCKETS = {
  'buckets moved': updated('bucket', ({ attributes }) => ({
    set: { v: ANOTHER_VOLUME, m: Number(attributes['m']) + 1 },
  })),
  'buckets dead': updated('bucket', () => ({ set: { l: 0 } })),
  'buckets gone': deleted('bucket'),
} as const;

export const BLOCKS = {
  'blocks gone': deleted('block'),
  'slots dead': updated('dead', ({ attributes }) => ({ set: { v: Number(attributes['v']) + 1 } })),
} as const;

export const ZONES = {
  /** The lowest zones of each drive that no row has. */
  'zones taken': (rows: readonly Row[]): readonly Write[] =>
    Array.from({ length: 6 }, (_, drive): Write => {
      const used = new Set(rows.filter(isOf('zone')).map(({ partition, sort }) => `${partition} ${sort}`));
      let zone = 0;
      while (used.has(`${zoneKey(drive, zone).partition} ${zoneKey(drive, zone).sort}`)) zone += 1;
      const attributes = zoneAttributes({ generation: 1, state: 'used', volume: ANOTHER_VOLUME as VolumeRow['id'] });
      return { kind: 'put', ...zoneKey(drive, zone), attributes };
    }),
  'zones gone on': updated('zone', ({ attributes }) => ({ set: { g: Number(attributes['g']) + 1 } })),
} as const;
