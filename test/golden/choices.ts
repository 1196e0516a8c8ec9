// What is chosen by rows alone: which open volume is next, what is to be repaired and moved, what must exist, what is worth rewriting.
import { CODEC_NAMES } from '../../lib/codec/codec.ts';
import { codecShape } from '../../lib/codec/shape.ts';
import { FLEET_STATES, fleetOf } from '../../lib/compaction/facts/fleet.ts';
import { lostIn } from '../../lib/compaction/facts/lost.ts';
import { planSettingsOf } from '../../lib/compaction/facts/plan-settings.ts';
import type { Budgets, Spending } from '../../lib/compaction/plan/budget.ts';
import { BUDGET_LINES, budgetsOf } from '../../lib/compaction/plan/budget.ts';
import { newPeriodAttributes, periodFromRow, periodKey, spend } from '../../lib/compaction/run/period-row.ts';
import type { Drive } from '../../lib/drive/drive.ts';
import type { GroupEntry } from '../../lib/format/group-directory.ts';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import type { ErrorCode } from '../../lib/foundation/error-codes.ts';
import { corrupt, missing, type PocketfulError, retryLater } from '../../lib/foundation/errors.ts';
import { newRecordId } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';

import { VOLUME_BUCKETS_MAX } from '../../lib/limits/panda.ts';
import { CLOCK_SKEW_MS_MAX, LEASE_MS } from '../../lib/limits/volume.ts';
import { DRIVE_STATES, type DriveRow } from '../../lib/panda/rows/drives/drive-row.ts';
import type { GroupRow } from '../../lib/panda/rows/group-row.ts';
import type { VolumeRow } from '../../lib/panda/rows/volume-row.ts';
import { bytesByDirectory, bytesByRow, namedByBucket, namedByRow } from '../../lib/volume/check/must-exist.ts';
import { isLeasable, type Known, pickFull, pickWithRoom, type View } from '../../lib/volume/open/choose-open.ts';
import { ColumnFaults } from '../../lib/volume/read/column-faults.ts';
import { planBalance } from '../../lib/volume/repair/balance-plan.ts';
import { byNeed, repairOf } from '../../lib/volume/repair/what-to-repair.ts';
import type { Components } from '../../lib/volume/rows/components.ts';
import { hotShareOf, hotVolumesWithin } from '../../lib/volume/rows/hot-share.ts';
import { contentsOf, isWasteful, neededBytes } from '../../lib/volume/write/waste.ts';
import { volumeOf } from '../compaction/fleets.ts';
import { TINY } from '../store/harness.ts';
import { SeededRows, textOf } from './seeded-rows.ts';

const rowsOf = (seed: number): SeededRows => new SeededRows(new SeededRandomness(seed));
const shape = (codec: VolumeRow['codec']): number => codecShape(codec).dataColumns + codecShape(codec).parityColumns;

const EXTENT_BYTES = 65_536;

function componentsOf(nowMs: number): Components {
  const clock = new SimulatedClock(nowMs);
  const settings = { ...TINY, extentBytes: EXTENT_BYTES };
  const isOwnerGone = (owner: string): boolean => owner === 'gone';
  return { settings, clock, owner: 'me', isOwnerGone } as unknown as Components;
}

function openLines(): string[] {
  const lines: string[] = [];
  for (let seed = 1; seed <= 24; seed++) {
    const rows = rowsOf(seed);
    const components = componentsOf(2_000_000);
    const known = rows.list(7, (draw): Known => {
      const row = rows.volume({
        state: 'open',
        extentUsedBytes: [rows.pick([0, 20_000, 40_000, 60_000]), rows.below(900)],
      });
      const buckets = rows.once(4) ? rows.list(VOLUME_BUCKETS_MAX - 1, () => rows.bucketId()) : row.buckets;
      return {
        row: { ...row, buckets: new Set(buckets) },
        seenAtMs: 0,
        busy: rows.once(4),
        conflicts: rows.below(2),
        isMine: rows.once(2),
        draw: (draw * 5) % 7,
      };
    });
    const view: View = {
      components,
      health: { isHealthy: (drive: number) => drive % 7 !== 3 } as View['health'],
      states: new Map(seed % 3 === 0 ? [[1, driveRow(1, 'draining', undefined)]] : []),
      isStale: ({ draw }) => draw === 2,
      isContended: seed % 2 === 0,
    };
    for (const bytes of [1, 5_000, 25_536, 45_536, 70_000])
      for (const buckets of [0, 1, 2]) {
        const at = (one: Known | undefined): number => (one === undefined ? -1 : known.indexOf(one));
        const need = { bytes, buckets };
        lines.push(
          `open ${seed} ${bytes} ${buckets}: ${at(pickWithRoom(view, known, need))} full ${at(pickFull(view, known, need))}`,
        );
      }
  }
  const components = componentsOf(2_000_000);
  for (const owner of [undefined, 'me', 'other', 'gone'])
    for (const by of [-1, 0, 1, LEASE_MS, LEASE_MS + CLOCK_SKEW_MS_MAX, LEASE_MS + CLOCK_SKEW_MS_MAX + 1])
      lines.push(
        `leasable ${owner} ${by}: ${isLeasable(components, { owner, expiresAtMs: 2_000_000 + by } as VolumeRow)}`,
      );
  return lines;
}

const driveRow = (drive: number, state: DriveRow['state'], domain: string | undefined): DriveRow => ({
  drive,
  state,
  change: 1,
  sinceMs: 1,
  domain,
});

function repairLines(): string[] {
  const lines: string[] = [];
  for (let seed = 1; seed <= 12; seed++) {
    const rows = rowsOf(seed);
    const drives = new Map(
      rows.list(8, (drive) => [drive, driveRow(drive, rows.pick(DRIVE_STATES), undefined)] as const),
    );
    const repairs = rows.list(4, () => {
      const volume = rows.volume({}, 20);
      const damage = rows.list(rows.below(6), () => ({
        volume: rows.once(5) ? rows.volume().id : volume.id,
        generation: rows.once(5) ? 9 : volume.generation,
        column: rows.below(3) + 1,
        kind: rows.pick(['missing', 'missing', 'corrupt'] as const),
        part: rows.below(4),
      }));
      return repairOf(volume, drives, damage as Parameters<typeof repairOf>[2]);
    });
    for (const found of repairs.filter((one) => one !== undefined).sort(byNeed)) {
      const { volume, ...rest } = found;
      lines.push(`repair ${seed} ${volume.id} ${volume.codec} of ${volume.extents[0]?.drive}: ${textOf(rest)}`);
    }
    const facts = rows.list(7, () => rows.volume({ codec: rows.pick(['xor-2-1', 'rs-6-3', 'replica-4']) }, 10));
    const domains = new Map(
      rows.list(
        10,
        (drive) =>
          [
            drive,
            driveRow(drive, rows.once(9) ? 'draining' : 'active', rows.once(2) ? `m${drive % 3}` : undefined),
          ] as const,
      ),
    );
    const usable = rows.list(10, (drive) => drive).filter(() => !rows.once(12));
    const { moves, ...sums } = planBalance({ volumes: facts, drives: domains, usable });
    lines.push(`balance ${seed}: ${textOf(sums)}`);
    for (const { volume, from, to, column, bytes } of moves)
      lines.push(`  ${volume} ${column}: ${from} to ${to}, ${bytes}`);
  }
  return lines;
}

function existLines(): string[] {
  const rows = rowsOf(5);
  const lines: string[] = [];
  for (const codec of CODEC_NAMES) {
    const columnBytes = rows.list(shape(codec), (i) => (i === 1 ? 0 : 100 * (i + 1)));
    const slot = () => ({ blockId: rows.blockId(), recordId: newRecordId(rows.random), recordBytes: 90 });
    const common = { seq: 3, token: 2, columnBytes };
    const groups: GroupRow[] = [
      { ...common, kind: 'append', bucket: rows.bucketId(), firstSlot: 0, slots: rows.list(3, slot) },
      { ...common, kind: 'move', run: 'r' },
      {
        ...common,
        kind: 'merge',
        run: 'r',
        buckets: [2, 0, 1].map((count) => ({ bucket: rows.bucketId(), slots: rows.list(count, slot) })),
      } as GroupRow,
    ];
    for (const group of groups) {
      const named = namedByRow(group);
      lines.push(`exist ${codec} ${group.kind}: ${textOf(named)} ${textOf(bytesByRow({ codec }, named))}`);
    }
    lines.push(
      `exist ${codec} by a bucket: ${textOf(bytesByRow({ codec }, { seq: 1, token: 1 }).map((one) => one ?? '?'))}`,
    );
    const buckets = rows.list(3, () => rows.bucketId());
    const entries = rows.list(
      9,
      () => ({ column: rows.below(codecShape(codec).dataColumns), bucket: rows.pick(buckets) }) as GroupEntry,
    );
    lines.push(`exist ${codec} by a directory: ${textOf(bytesByDirectory({ codec }, columnBytes, entries))}`);
  }
  const volume = rows.volume({ generation: 2, token: 2 });
  for (const changes of [{}, { move: 0 }, { token: 1 }, { volume: rows.volume().id }])
    for (const generation of [1, 2]) {
      const bucket = rows.bucket({ volume: volume.id, move: 1, seq: 4, token: 2, ...changes });
      lines.push(
        `exist ${textOf(changes)} ${generation}: ${textOf(namedByBucket({ ...volume, generation }, bucket) ?? 'no')}`,
      );
    }
  return lines;
}

function worthLines(): string[] {
  const lines: string[] = [];
  for (let seed = 1; seed <= 16; seed++) {
    const rows = rowsOf(seed);
    const buckets = rows.list(10, () => rows.bucket());
    const codec = rows.pick(CODEC_NAMES);
    const volumes = rows.list(2, (i) =>
      rows.volume({
        codec,
        buckets: new Set([...buckets.slice(i * 5, i * 5 + 5).map(({ id }) => id), rows.bucketId()]),
        extentUsedBytes: rows.list(shape(codec), () => rows.below(9000 * (1 + (seed % 4)))),
      }),
    );
    const contents = contentsOf(volumes, new Map(buckets.map((bucket) => [bucket.id, bucket])));
    const next = CODEC_NAMES.map((name) => `${neededBytes(name, contents)} ${isWasteful(contents, codec, name)}`);
    lines.push(`waste ${seed} ${codec} ${textOf(contents)}: ${next.join(', ')}`);
    const fleet = fleetOf(
      's',
      'c0',
      rows.list(10, (n) => {
        const capacityBytes = 1_000_000;
        const usedBytes = rows.once(6) ? 0 : 300_000 + rows.below(700_000);
        const liveBytes = rows.once(3) ? usedBytes : Math.floor((usedBytes * (60 + rows.below(41))) / 100);
        return volumeOf(n + 1, 0, {
          capacityBytes,
          usedBytes,
          liveBytes,
          codec: rows.pick(['rs-6-3', 'xor-2-1']),
          state: seed % 3 === 0 ? 'sealed' : rows.pick(['sealed', 'open', ...FLEET_STATES]),
          roomBytes: rows.below(3) * 100_000,
        });
      }),
    );
    const isLost = lostIn(fleet, planSettingsOf({ reserve: 0.01 * (seed % 3) }), seed % 2 === 0 ? 0.1 : 0.3);
    lines.push(`lost ${seed}: ${fleet.ids.map((_, i) => Number(isLost(i))).join('')}`);
  }
  const sizes = { hotCodec: 'rs-6-3', extentBytes: 1000, hotBytesMax: 99_000 } as const;
  lines.push(
    `hot: ${[0, 0.5, 0.99, 1].map((share) => hotVolumesWithin(share, sizes))} ${[0, 1, 11].map((n) => hotShareOf(n, sizes))}`,
  );
  const spendings: Partial<Spending>[] = [
    {},
    { dollars: 0.25 },
    { bytesRead: 0.4, requests: 3 },
    { metadataWrites: 1, computeMs: 7.6, bytesWritten: 2 },
  ];
  const budgets: Budgets = budgetsOf({ dollars: 3 });
  for (const some of spendings) {
    const none = Object.fromEntries(BUDGET_LINES.map((line) => [line, 0])) as Spending;
    const change = spend({ ...none, ...some });
    const row = { ...periodKey, attributes: { ...newPeriodAttributes(budgets), ...(change?.add ?? {}) } };
    lines.push(`spend ${textOf(some)}: ${textOf(change ?? 'nothing')} ${textOf(periodFromRow(row))}`);
  }
  return lines;
}

function faultLines(): string[] {
  const codes: readonly ErrorCode[] = [
    'CHUNK_MISSING',
    'CHUNK_MALFORMED',
    'DRIVE_UNAVAILABLE',
    'DRIVE_BUSY',
    'DRIVE_DENIED',
    'DRIVE_FULL',
  ];
  const fault = (code: ErrorCode): PocketfulError => {
    if (code === 'CHUNK_MISSING') return missing(code, 'gone');
    return code === 'CHUNK_MALFORMED' ? corrupt(code, 'wrong') : retryLater(code as 'DRIVE_BUSY', 'not now');
  };
  const lines: string[] = [];
  for (let seed = 1; seed <= 24; seed++) {
    const rows = rowsOf(seed);
    const volume = rows.volume({ codec: rows.pick(['xor-2-1', 'rs-6-3', 'lrc-12-2-2']) }, 18);
    const drives = rows.list(17, (i) => ({ label: `d${i}` }) as Drive);
    const faults = new ColumnFaults(volume, drives);
    const others = new ColumnFaults(volume, drives);
    const some = rows.list(1 + rows.below(6), () => [rows.below(volume.extents.length), rows.pick(codes)] as const);
    for (const [i, [column, code]] of some.entries()) (i % 2 === 0 ? faults : others).add(column, fault(code));
    faults.addAll(others);
    const wanted = rows.once(2) ? undefined : rows.below(volume.extents.length);
    const shown = (error: PocketfulError & { readonly drives?: unknown; readonly broken?: unknown }): string =>
      `${error.kind} ${error.code} ${error.message} ${textOf(error.drives)} ${textOf(error.broken)} ${(error.cause as PocketfulError | undefined)?.code}`;
    lines.push(
      `faults ${seed} ${textOf(some)} ${wanted}: ${faults.size} ${textOf(faults.broken)} ${shown(faults.lost('it', wanted))}; ${shown(faults.unsound('it'))}`,
    );
  }
  return lines;
}

export const choiceLines = (): readonly string[] => [
  ...openLines(),
  ...repairLines(),
  ...existLines(),
  ...worthLines(),
  ...faultLines(),
];
