// open/CELL | volume and hot/CELL | volume: which volumes are open, and which are hot and not in trash, so that nobody
// who puts lists the rows of all volumes. Written and deleted in the transactions that make, seal and retire a volume;
// what a volume is, its own row alone says. The row `complete` of each says that a look at all volumes has once written
// what an older release had not.
import type { VolumeId } from '../../foundation/ids.ts';
import type { Delete, Key, Put, Row, Write } from '../panda.ts';
import { volumeIdIn } from './row-reader.ts';
import { stateIs } from './volume-changes.ts';
import { type VolumeRow, volumeKey } from './volume-row.ts';

/** No volume has such an id. */
const COMPLETE = 'complete';

/** The two lists: volumes that a put may lease, and those that count for `hotBytesMax`. */
export const VOLUME_LISTS = ['open', 'hot'] as const;
export type VolumeList = (typeof VOLUME_LISTS)[number];

export const listPartition = (list: VolumeList, cell: string): string => `${list}/${cell}`;

export const listedKey = (list: VolumeList, cell: string, id: VolumeId): Key => ({
  partition: listPartition(list, cell),
  sort: id,
});

export const isCompleteRow = ({ sort }: Row): boolean => sort === COMPLETE;
export const listedIn = (row: Row): VolumeId => volumeIdIn(row, row.sort);

/** In which lists a volume stands: what is in trash makes no put wait. */
export const isListedIn = (list: VolumeList, { state, class: cls }: Pick<VolumeRow, 'state' | 'class'>): boolean =>
  list === 'open' ? state === 'open' : cls === 'hot' && state !== 'trash' && state !== 'erasing';

export const listed = (list: VolumeList, cell: string, { id, createdAtMs }: Listed): Put => ({
  kind: 'put',
  ...listedKey(list, cell, id),
  attributes: { a: createdAtMs },
});

type Listed = Pick<VolumeRow, 'id' | 'createdAtMs'>;

export const unlisted = (list: VolumeList, cell: string, id: VolumeId): Delete => ({
  kind: 'delete',
  ...listedKey(list, cell, id),
});

/** Of a volume that is made: those of its state and class. */
export const listedAtFirst = (cell: string, volume: Listed & Pick<VolumeRow, 'state' | 'class'>): Put[] =>
  VOLUME_LISTS.filter((list) => isListedIn(list, volume)).map((list) => listed(list, cell, volume));

/** Of a volume that is retired; of one whose row goes, too: earlier releases retire without it. */
export const unlistedAtLast = (cell: string, { id, class: cls }: Pick<VolumeRow, 'id' | 'class'>): Delete[] =>
  cls === 'hot' ? [unlisted('hot', cell, id)] : [];

/** Written later than the volume: only if it still belongs there. */
export const listedLate = (list: VolumeList, cell: string, volume: Listed): Write[] => [
  { kind: 'check', ...volumeKey(cell, volume.id), if: list === 'open' ? [stateIs('open')] : ['exists'] },
  listed(list, cell, volume),
];

export const completed = (list: VolumeList, cell: string, nowMs: number): Put => ({
  kind: 'put',
  partition: listPartition(list, cell),
  sort: COMPLETE,
  attributes: { a: nowMs },
});
