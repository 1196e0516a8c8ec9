// The scrubber: reads every object that must exist, whole, the longest unverified first. What is damaged goes into
// damage rows; how far it came with each volume into a row of its own, so that a pass may be cut off anywhere.
import { scrubSweepMs } from '../cost/scrub-sweep.ts';
import { isKind, isPocketfulError } from '../foundation/errors.ts';
import type { VolumeId } from '../foundation/ids.ts';
import { ROWS_PER_TRANSACTION } from '../limits/panda.ts';
import { SCRUB_FRESH_MS, SCRUB_KEEP_EVERY_MS, SCRUB_LOOKS_MAX } from '../limits/verify.ts';
import type { Write } from '../panda/panda.ts';
import { readOrTell } from '../panda/rows/row-reader.ts';
import type { VolumeRow } from '../panda/rows/volume-row.ts';
import { holdsData, lookAtVolume, type VolumeLook } from '../volume/check/look.ts';
import type { ReadPorts } from '../volume/read/read-column.ts';
import type { Components } from '../volume/rows/components.ts';
import { hasDirectories } from '../volume/rows/directory-room.ts';
import { listVolumes, readVolume, rowsOf } from '../volume/rows/read-rows.ts';
import { transact } from '../volume/rows/transact.ts';
import type { Findings } from './findings.ts';
import { LookSum, type LooksReport } from './look-sum.ts';
import { planScrub, type ScrubItem, type ScrubPeriods, type ScrubPlan, type ScrubVolume } from './scrub-plan.ts';
import { type ScrubRow, scrubAttributes, scrubFromRow, scrubKey, scrubPartition } from './scrub-row.ts';

export const scrubPeriods = ({ warmClass }: Pick<Components, 'warmClass'>): ScrubPeriods => ({
  sweepMs: scrubSweepMs(warmClass),
  freshMs: SCRUB_FRESH_MS,
});

export interface ScrubOptions {
  readonly findings: Findings;
  /** Drives that do not answer. */
  readonly away: ReadonlySet<number>;
  /** Only these. */
  readonly volumes?: ReadonlySet<VolumeId> | undefined;
  /** Everything of which no look began since then; undefined: what is due. */
  readonly allSinceMs?: number | undefined;
  /** How often a pass comes: so much is looked at ahead of its time that work is even. */
  readonly everyMs?: number | undefined;
  /** Asked after every group: true ends the pass. */
  readonly isOver?: (() => boolean) | undefined;
  readonly onProgress?: ((done: ScrubProgress) => void) | undefined;
}

export interface ScrubProgress {
  readonly objects: number;
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface ScrubReport extends Pick<LooksReport, 'damage' | 'moreDamage'> {
  readonly volumes: number;
  readonly groups: number;
  readonly objects: number;
  readonly bytes: number;
  /** Objects that a drive which answered did not give. */
  readonly unread: number;
  /** Still to be looked at now: the pass was cut. */
  readonly left: { readonly volumes: number; readonly bytes: number };
}

/** Volumes that hold something, and what is known of each. */
export interface ScrubFacts {
  readonly volumes: readonly ScrubVolume[];
  readonly rows: ReadonlyMap<VolumeId, ScrubRow>;
}

export async function scrubFacts(components: Components): Promise<ScrubFacts> {
  const { panda, settings } = components;
  const rows = new Map<VolumeId, ScrubRow>();
  for await (const row of rowsOf(panda, scrubPartition(settings.cell))) {
    // A row that cannot be read is as good as none: the volume is read anew, and the row written anew.
    const one = readOrTell(row, scrubFromRow, () => {});
    if (one !== undefined) rows.set(one.volume, one);
  }
  const volumes = (await listVolumes(panda, settings.cell, components.badRow ?? (() => {}))).filter(holdsData);
  return { volumes: volumes.map((volume) => factsOf(components, volume)), rows };
}

const factsOf = (components: Components, volume: VolumeRow): ScrubVolume => ({
  id: volume.id,
  generation: volume.generation,
  nextSeq: volume.nextSeq,
  createdAtMs: volume.createdAtMs,
  extentUsedBytes: volume.extentUsedBytes,
  hasDirectories: hasDirectories(components, volume),
});

export async function scrub(ports: ReadPorts, options: ScrubOptions): Promise<ScrubReport> {
  const { components } = ports;
  const facts = await scrubFacts(components);
  await dropRowsOfGone(components, facts);
  const { volumes: only, allSinceMs, everyMs } = options;
  const volumes = facts.volumes.filter(({ id }) => only === undefined || only.has(id));
  const nowMs = Math.max(0, components.clock.nowMs());
  const plan = planScrub(volumes, facts.rows, { nowMs, periods: scrubPeriods(components), allSinceMs, everyMs });
  return new Pass(ports, options, facts.rows).run(plan);
}

/** Soft state of volumes that hold nothing any more. */
async function dropRowsOfGone(components: Components, { volumes, rows }: ScrubFacts): Promise<void> {
  const held = new Set(volumes.map(({ id }) => id));
  const gone = [...rows.keys()].filter((id) => !held.has(id));
  for (let at = 0; at < gone.length; at += ROWS_PER_TRANSACTION) {
    const deletes = gone
      .slice(at, at + ROWS_PER_TRANSACTION)
      .map((id): Write => ({ kind: 'delete', ...scrubKey(components.settings.cell, id) }));
    await transact(components, deletes, async () => false);
  }
}

/** One pass over the items of a plan. */
class Pass {
  readonly #ports: ReadPorts;
  readonly #options: ScrubOptions;
  readonly #rows: ReadonlyMap<VolumeId, ScrubRow>;
  readonly #sum: LookSum;
  readonly #volumes = new Set<VolumeId>();
  #objects = 0;
  #bytes = 0;

  constructor(ports: ReadPorts, options: ScrubOptions, rows: ReadonlyMap<VolumeId, ScrubRow>) {
    this.#ports = ports;
    this.#options = options;
    this.#rows = rows;
    this.#sum = new LookSum(ports, options.away, options.findings);
  }

  async run({ items, due }: ScrubPlan): Promise<ScrubReport> {
    const { isOver = () => false, onProgress } = this.#options;
    const totalBytes = items.reduce((sum, { bytes }) => sum + bytes, 0);
    let next = 0;
    while (next < items.length && !isOver()) {
      const item = items[next] as ScrubItem;
      if (!(await this.#scrubVolume(item))) break;
      next += 1;
      onProgress?.({ objects: this.#objects, bytes: this.#bytes, totalBytes });
    }
    const left = items.slice(next, Math.max(next, due));
    const { looked, damage, moreDamage } = this.#sum.report;
    return {
      volumes: this.#volumes.size,
      groups: looked.groups,
      objects: looked.objects,
      bytes: this.#bytes,
      unread: looked.unread,
      damage,
      moreDamage,
      left: { volumes: left.length, bytes: left.reduce((sum, { bytes }) => sum + bytes, 0) },
    };
  }

  /** Look after look, each kept, until the volume is done (true) or the pass is over. */
  async #scrubVolume(first: ScrubItem): Promise<boolean> {
    const { components } = this.#ports;
    const { isOver = () => false } = this.#options;
    let item = first;
    let before = this.#rows.get(item.volume);
    for (;;) {
      const began = { wallMs: Math.max(0, components.clock.nowMs()), monotonicMs: components.clock.monotonicMs() };
      const isLong = (): boolean => components.clock.monotonicMs() - began.monotonicMs >= SCRUB_KEEP_EVERY_MS;
      const seen = await this.#look(item, before?.generation, () => isOver() || isLong());
      if (seen === undefined) return true; // gone, or another volume by now
      const { look, volume } = seen;
      await this.#sum.add(look);
      this.#volumes.add(volume.id);
      this.#objects += look.objects;
      this.#bytes += look.bytes;
      const row = rowAfter(components, before, { item, look, volume, beganAtMs: item.beganAtMs ?? began.wallMs });
      await this.#keep(row);
      if (row.underWay === undefined) return true;
      if (isOver()) return false;
      before = row;
      item = {
        ...item,
        ...row.underWay,
        skipDirectories: row.hasReadDirectories || !hasDirectories(components, volume),
      };
    }
  }

  /** What changes while it is looked at is looked at again: a seal, a flip or a repair has come to its end. */
  async #look(
    item: ScrubItem,
    generation: number | undefined,
    isOver: () => boolean,
  ): Promise<{ readonly look: VolumeLook; readonly volume: VolumeRow } | undefined> {
    const { components } = this.#ports;
    try {
      for (let attempt = 0; attempt < SCRUB_LOOKS_MAX; attempt++) {
        const volume = await readVolume(components.panda, components.settings.cell, item.volume);
        if (volume === undefined) return undefined;
        const { afterSeq, skipDirectories } = volume.generation === generation ? item : WHOLE;
        const look = await lookAtVolume(this.#ports, volume, { read: true, afterSeq, skipDirectories, isOver });
        if (look !== undefined) return { look, volume };
      }
      return undefined;
    } catch (error) {
      // Its own row, or that of a group, cannot be read: one volume is in the way of no other.
      if (!isPocketfulError(error) || !isKind(error, 'corrupt')) throw error;
      this.#options.findings.add('wrong', 'volume', `volume ${item.volume} cannot be looked at: ${error.message}`);
      return undefined;
    }
  }

  async #keep(row: ScrubRow): Promise<void> {
    const { components } = this.#ports;
    const put: Write = {
      kind: 'put',
      ...scrubKey(components.settings.cell, row.volume),
      attributes: scrubAttributes(row),
    };
    await transact(components, [put], async () => false);
  }
}

/** Of another generation nothing was looked at before. */
const WHOLE = { afterSeq: 0, skipDirectories: false };

interface Looked {
  readonly item: ScrubItem;
  readonly look: VolumeLook;
  readonly volume: VolumeRow;
  readonly beganAtMs: number;
}

function rowAfter(components: Components, known: ScrubRow | undefined, looked: Looked): ScrubRow {
  const { item, look, volume, beganAtMs } = looked;
  const before = known?.generation === volume.generation ? known : undefined;
  const isFirst = item.beganAtMs === undefined;
  const hasMissed = look.unread > 0 || look.unlisted > 0 || (!isFirst && (before?.hasMissed ?? false));
  const hasReadDirectories = item.skipDirectories
    ? (before?.hasReadDirectories ?? false)
    : factsOf(components, volume).hasDirectories;
  const row = {
    volume: volume.id,
    generation: volume.generation,
    allAtMs: before?.allAtMs,
    lastAtMs: before?.lastAtMs,
    readSeq: before?.readSeq ?? 0,
    hasReadDirectories,
    hasMissed,
    underWay: undefined,
  };
  if (look.cutAfterSeq !== undefined)
    return { ...row, underWay: { kind: item.kind, beganAtMs, afterSeq: look.cutAfterSeq } };
  return {
    ...row,
    allAtMs: item.kind === 'all' ? beganAtMs : row.allAtMs,
    lastAtMs: beganAtMs,
    readSeq: Math.max(row.readSeq, volume.nextSeq - 1),
  };
}
