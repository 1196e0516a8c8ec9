// Doctor: counts everything again and says what is wrong with a store. It looks at the rows of one moment, at every
// drive's listing of what must exist, and, if asked, reads all of it. It notes what it finds damaged, and changes
// nothing else unless told to; then it only ends what dead processes left and sweeps objects that belong to nothing.
import { isPocketfulError } from '../../foundation/errors.ts';
import { checkSqliteFile } from '../../panda/sqlite/sqlite-damage.ts';
import { pandaCorrupt } from '../../panda/sqlite/sqlite-errors.ts';
import { type Finding, Findings, type Level } from '../../verify/findings.ts';
import type { LooksReport } from '../../verify/look-sum.ts';
import { sweepStrays } from '../../volume/behind/sweep.ts';
import type { WorstLosses } from '../../volume/check/worst-loss.ts';
import { withSnapshot } from '../backup/panda-snapshot.ts';
import { type DevicesFacts, devicesOf } from '../drives/devices.ts';
import { listDrives } from '../drives/list-drives.ts';
import { type DriveAway, findDriveFaults } from '../status/drive-faults.ts';
import { hasLeftovers, type RecoverReport, recover } from '../upkeep/end-dead-work.ts';
import type { EmbeddedStore } from '../wire/embedded/embedded-store.ts';
import { pandaPath } from '../wire/store-layout.ts';
import type { Counted } from './counted.ts';
import { findUnknownChunks } from './doctor-newer.ts';
import { findRowFaults } from './doctor-rows.ts';
import { findVolumeFaults } from './doctor-volumes.ts';

export interface DoctorReport extends LooksReport {
  /** The level is `healthy`: every object that must exist is there. */
  readonly healthy: boolean;
  readonly level: Level;
  readonly counted: Counted;
  readonly drivesAway: readonly DriveAway[];
  readonly findings: readonly Finding[];
  /** Left out of `findings` because there were too many. */
  readonly moreFindings: number;
  readonly objectsRead: number | undefined;
  /** On how many disks the drives lie. */
  readonly devices?: DevicesFacts;
  /** What the next loss of a drive or of a domain could cost. */
  readonly worst?: WorstLosses;
  readonly fixed: (RecoverReport & { readonly sweptZones: number; readonly quarantinedZones: number }) | undefined;
}

export interface DoctorOptions {
  readonly fix?: boolean | undefined;
  /** Read every column of every volume, parity and directories too, and every object to its end. */
  readonly readAll?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((what: string) => void) | undefined;
}

export async function examine(store: EmbeddedStore, options: DoctorOptions = {}): Promise<DoctorReport> {
  const findings = new Findings();
  options.onProgress?.('metadata file');
  if (isFileDamaged(store, findings)) return nothingLookedAt(findings);
  const fixed = options.fix ? await fix(store, options) : undefined;
  const { components } = store;
  options.onProgress?.('rows');
  const counted = await withSnapshot(pandaPath(store.path), (panda) =>
    findRowFaults({ ...components, panda }, findings, options.signal),
  );
  options.onProgress?.('drives');
  const drivesAway = await findDriveFaults(store.volumes, findings);
  const away = new Set(drivesAway.map(({ id }) => id));
  const volumes = await findVolumeFaults(store.volumes, away, findings, { ...options, read: options.readAll });
  await findUnknownChunks(store, findings);
  if (await hasLeftovers(store.volumes))
    findings.add('waits', 'unfinished', 'processes that are gone left work behind: pocketful doctor --fix ends it');
  const objectsRead = options.readAll ? await readEverything(store, findings, options) : undefined;
  return {
    healthy: findings.level === 'healthy',
    level: findings.level,
    counted,
    drivesAway,
    ...volumes,
    findings: findings.list,
    moreFindings: findings.more,
    objectsRead,
    devices: await devicesOf(components.drives.map(({ label }) => label)),
    worst: (await listDrives(components)).worst,
    fixed,
  };
}

/** Nothing that rows of a damaged file say is believed, and nothing is written to it. */
function isFileDamaged(store: EmbeddedStore, findings: Findings): boolean {
  const path = pandaPath(store.path);
  const [first, ...more] = checkSqliteFile(path);
  if (first === undefined) return false;
  findings.add('lost', 'file', pandaCorrupt(path).message);
  for (const fault of [first, ...more]) findings.add('lost', 'file', fault);
  return true;
}

const nothingLookedAt = ({ list, more, level }: Findings): DoctorReport => ({
  healthy: false,
  level,
  counted: { objects: 0, blocks: 0, buckets: 0, volumes: 0, zones: 0 },
  drivesAway: [],
  redundancy: { volumes: 0, full: 0, reduced: [], lost: 0 },
  looked: { volumes: 0, groups: 0, objects: 0, unread: 0, strays: { objects: 0, bytes: 0 } },
  damage: [],
  moreDamage: 0,
  findings: list,
  moreFindings: more,
  objectsRead: undefined,
  fixed: undefined,
});

async function fix(store: EmbeddedStore, options: DoctorOptions): Promise<DoctorReport['fixed']> {
  if ((await store.refusal()) !== undefined) return undefined; // a finding says why nothing may be changed
  options.onProgress?.('unfinished work');
  const report = await recover(store.volumes, store.frontend);
  options.onProgress?.('strays');
  const { erasedZones, quarantinedZones } = await sweepStrays(store.volumes);
  return { ...report, sweptZones: erasedZones, quarantinedZones };
}

/** Every byte of every object, checked against its hashes on the way. */
async function readEverything(store: EmbeddedStore, findings: Findings, options: DoctorOptions): Promise<number> {
  let read = 0;
  for await (const page of store.components.panda.scan())
    for (const { partition, sort } of page) {
      if (!partition.startsWith('object/')) continue;
      options.signal?.throwIfAborted();
      try {
        const { body } = await store.frontend.get(partition.slice('object/'.length), sort);
        for await (const _ of body);
      } catch (error) {
        if (!isPocketfulError(error)) throw error;
        if (error.kind !== 'missing') findings.add('lost', 'object', `${JSON.stringify(sort)}: ${error.message}`);
      }
      read += 1;
      options.onProgress?.(`objects: ${read} read`);
    }
  return read;
}
