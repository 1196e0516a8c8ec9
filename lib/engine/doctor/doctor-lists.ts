// Doctor's look at the lists of open and of hot volumes: held against the volumes themselves. Nothing is lost by a row
// that is missing or too much: an older release wrote beside this one, and maintenance mends it.
import type { Row } from '../../panda/panda.ts';
import {
  isCompleteRow,
  isListedIn,
  listedIn,
  listPartition,
  VOLUME_LISTS,
  type VolumeList,
} from '../../panda/rows/open-row.ts';
import type { VolumeRow } from '../../panda/rows/volume-row.ts';
import type { Findings } from '../../verify/findings.ts';

export class VolumeListsFound {
  readonly #cell: string;
  readonly #ids = new Map<VolumeList, Set<string>>(VOLUME_LISTS.map((list) => [list, new Set()]));
  readonly #complete = new Set<VolumeList>();

  constructor(cell: string) {
    this.#cell = cell;
  }

  take(row: Row): void {
    const list = VOLUME_LISTS.find((one) => listPartition(one, this.#cell) === row.partition);
    if (list === undefined) return;
    if (isCompleteRow(row)) this.#complete.add(list);
    else this.#ids.get(list)?.add(listedIn(row));
  }

  /** A store that only older releases have written to has none, and lacks none. */
  judge(volumes: ReadonlyMap<string, VolumeRow>, findings: Findings): void {
    for (const list of this.#complete) {
      const ids = new Set(this.#ids.get(list));
      for (const volume of volumes.values()) {
        if (!isListedIn(list, volume) || ids.delete(volume.id)) continue;
        findings.add('waits', 'list', `volume ${volume.id} is not listed as ${list}: pocketful doctor --fix lists it`);
      }
      for (const id of ids)
        findings.add('waits', 'list', `volume ${id} is listed as ${list} and is not: pocketful doctor --fix mends it`);
    }
  }
}
