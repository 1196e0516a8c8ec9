// Wires the system of lib/volume and lib/frontend to directories as drives, SQLite as Panda, and a key file.
import { availableParallelism } from 'node:os';
import { DirectoryShelf } from '../../../drive/directory-shelf.ts';
import type { Drive } from '../../../drive/drive.ts';
import type { Clock } from '../../../foundation/clock.ts';
import type { Randomness } from '../../../foundation/randomness.ts';
import { FileKekStore, openKeyFile } from '../../../keys/file-kek-store.ts';
import type { KekStore } from '../../../keys/keys.ts';
import { SystemSealer } from '../../../keys/system-sealer.ts';
import { SEALERS_MAX } from '../../../limits/engine.ts';
import type { Panda } from '../../../panda/panda.ts';
import { type StoreRow, storeFromRow, storeKey } from '../../../panda/rows/store-row.ts';
import { SqliteJournal } from '../../../panda/sqlite/sqlite-journal.ts';
import type { Components } from '../../../volume/rows/components.ts';
import { StoreJournal } from '../../ship/store-journal.ts';
import { BadRows } from '../bad-rows.ts';
import { MadeDrives } from '../drives/made-drives.ts';
import { isOwnerGone, newOwner } from '../process-owner.ts';
import type { StoreDisk } from '../store-disk.ts';
import { driveAt, keysPath, pandaPath } from '../store-layout.ts';
import { WriterTurn } from '../writer-turn.ts';
import { EmbeddedStore } from './embedded-store.ts';

export interface Ports {
  readonly clock: Clock;
  readonly randomness: Randomness;
}

interface Parts {
  readonly path: string;
  readonly row: StoreRow;
  readonly panda: Panda;
  readonly ports: Ports;
  readonly disk: StoreDisk;
}

/** Loaded for the first put: with the operator's settings and their schemas it would delay every command. */
function laterLanes(parts: Pick<Components, 'panda' | 'clock'>): NonNullable<Components['laneOf']> {
  let lanes: Promise<NonNullable<Components['laneOf']>> | undefined;
  return async (namespace) => {
    lanes ??= import('../../../compaction/run/known-lanes.ts').then(({ knownLanes }) => knownLanes(parts));
    return (await lanes)(namespace);
  };
}

export async function wireStore({ path, row, panda, ports, disk }: Parts, withoutKeys = false): Promise<EmbeddedStore> {
  const badRows = new BadRows();
  const made = new MadeDrives(path, row.storeId, panda, ports.clock, badRows.tell);
  const drives: Drive[] = await made.from(0, row.drives);
  const keks: KekStore = withoutKeys
    ? new FileKekStore(keysPath(path), row.storeId, ports)
    : await openKeyFile(keysPath(path), row.storeId, ports);
  disk.describe(
    row.settings,
    drives.map(({ label }) => label),
  );
  const components: Components = {
    settings: row.settings,
    storeId: row.storeId,
    ...ports,
    drives,
    panda,
    keks,
    owner: newOwner(ports.randomness),
    isOwnerGone,
    laneOf: laterLanes({ panda, clock: ports.clock }),
    badRow: badRows.tell,
  };
  const sealer = new SystemSealer(Math.min(SEALERS_MAX, Math.max(1, availableParallelism() - 1)));
  const roots = row.drives.map((drive) => driveAt(path, drive));
  const turn = new WriterTurn(path, components, roots);
  const findDrives = async (): Promise<void> => {
    const now = await panda.get(storeKey);
    if (now === undefined) return;
    const known = drives.length;
    const places = storeFromRow(now).drives;
    // Another call may have been at it at the same time.
    if (places.length > known)
      for (const [i, drive] of (await made.from(known, places)).entries())
        if (known + i === drives.length) drives.push(drive);
  };
  let journal: StoreJournal | undefined;
  const all: Components = {
    ...components,
    sealer,
    findDrives,
    async mayWrite() {
      await turn.mayWrite();
      journal?.begin();
    },
    beforeErasing: async () => journal?.shipNow(),
  };
  if (!withoutKeys)
    journal = new StoreJournal(
      (place, identity) => new DirectoryShelf(driveAt(path, place), identity),
      all,
      new SqliteJournal(pandaPath(path)),
      { mayWait: () => disk.isSparing() },
    );
  disk.shipsBy(async () => journal?.shipNow());
  return new EmbeddedStore(path, row, all, {
    disk,
    turn,
    badRows,
    sealer,
    ...(journal === undefined ? {} : { journal }),
  });
}
