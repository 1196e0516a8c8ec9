// Doctor: counts everything again and says what is wrong with a store. It looks at the rows of one moment, at every
// drive, and, if asked, reads every object. It changes nothing unless told to; then it only ends what dead processes left and
// sweeps objects that belong to nothing.
import { isPocketfulError } from '../../foundation/errors.ts';
import { sweepStrays } from '../../volume/runs/free.ts';
import { withSnapshot } from '../backup/panda-snapshot.ts';
import { hasLeftovers, type RecoverReport, recover } from '../upkeep/end-dead-work.ts';
import type { EmbeddedStore } from '../wire/embedded.ts';
import { pandaPath } from '../wire/store-layout.ts';
import { findDriveFaults } from './doctor-drives.ts';
import { findRowFaults } from './doctor-rows.ts';

/** lost: data cannot be read now. wrong: rows contradict each other. waits: nothing is wrong, something is still to be done. */
export type Severity = 'lost' | 'wrong' | 'waits';

export interface Finding {
  readonly severity: Severity;
  /** Stable, lower case: drive, key, object, references, live-bytes, bucket, zone, stray, unfinished. */
  readonly check: string;
  readonly message: string;
}

export interface Counted {
  readonly objects: number;
  readonly blocks: number;
  readonly buckets: number;
  readonly volumes: number;
  readonly zones: number;
}

export interface DoctorReport {
  readonly healthy: boolean;
  readonly counted: Counted;
  readonly findings: readonly Finding[];
  /** Left out of `findings` because there were too many. */
  readonly moreFindings: number;
  readonly objectsRead: number | undefined;
  readonly fixed: (RecoverReport & { readonly sweptZones: number }) | undefined;
}

export interface DoctorOptions {
  readonly fix?: boolean | undefined;
  /** Read every object to its end. */
  readonly readAll?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((what: string) => void) | undefined;
}

const FINDINGS_MAX = 1000;

/** Findings as they come; those beyond a bound are only counted. */
export class Findings {
  readonly list: Finding[] = [];
  more = 0;
  isSound = true;

  add(severity: Severity, check: string, message: string): void {
    if (severity !== 'waits') this.isSound = false;
    if (this.list.length < FINDINGS_MAX) this.list.push({ severity, check, message });
    else this.more += 1;
  }
}

export async function examine(store: EmbeddedStore, options: DoctorOptions = {}): Promise<DoctorReport> {
  const fixed = options.fix ? await fix(store, options) : undefined;
  const findings = new Findings();
  const { components } = store;
  options.onProgress?.('rows');
  const counted = await withSnapshot(pandaPath(store.path), (panda) =>
    findRowFaults({ ...components, panda }, findings, options.signal),
  );
  options.onProgress?.('drives');
  await findDriveFaults(store.volumes, findings);
  if (await hasLeftovers(store.volumes))
    findings.add('waits', 'unfinished', 'processes that are gone left work behind: pocketful doctor --fix ends it');
  const objectsRead = options.readAll ? await readEverything(store, findings, options) : undefined;
  return {
    healthy: findings.isSound,
    counted,
    findings: findings.list,
    moreFindings: findings.more,
    objectsRead,
    fixed,
  };
}

async function fix(store: EmbeddedStore, options: DoctorOptions): Promise<DoctorReport['fixed']> {
  options.onProgress?.('unfinished work');
  const report = await recover(store.volumes, store.frontend);
  options.onProgress?.('strays');
  return { ...report, sweptZones: await sweepStrays(store.volumes) };
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
