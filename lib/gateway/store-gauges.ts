// Figures of the store itself among a server's metrics: what `status` says, looked up at most once a minute, however
// often it is asked for.
import type { Status } from '../engine/status/status.ts';
import type { Clock } from '../foundation/clock.ts';
import { STATUS_LOOK_EVERY_MS } from '../limits/gateway.ts';
import type { GaugeSource } from './http/metrics.ts';

const GAUGES: readonly (readonly [
  name: string,
  help: string,
  read: (status: Status, nowMs: number) => number | null | undefined,
])[] = [
  ['live_bytes', 'Record bytes that live', (status) => status.liveBytes],
  ['hot_bytes', 'Bytes that hot volumes allocate', (status) => status.hotBytes],
  ['overhead_sealed', 'Stored bytes of sealed volumes per live byte', (status) => status.overhead.sealed.stored],
  ['replication_factor', 'Stored bytes of all volumes per live byte', (status) => status.replicationFactor],
  ['volumes', 'Volumes that hold something', (status) => status.redundancy.volumes],
  ['volumes_reduced', 'Volumes that survive less than they should', (status) => reducedIn(status)],
  ['volumes_lost', 'Volumes of which something cannot be read', (status) => status.redundancy.lost],
  ['spare_columns_min', 'Losses that the weakest volume survives for certain', (status) => spareIn(status)],
  ['drives_away', 'Drives that do not answer', (status) => awayIn(status)],
  ['trash_bytes', 'Bytes of deleted blocks that wait to be shredded', (status) => status.trash.bytes],
  [
    'journal_waiting_commits',
    'Commits of the metadata that are on no drive yet',
    (status) => status.journal?.waiting.commits ?? undefined,
  ],
  [
    'journal_waiting_seconds',
    'How long the oldest of them has waited',
    (status) => secondsOf(status.journal?.waiting.ageMs),
  ],
  ['journal_segments', 'Segments that a restore from the drives reads', (status) => status.journal?.way],
  ['journal_copies', 'Drives that have all of the journal that was shipped', (status) => status.journal?.copies],
  ['compaction_queue_messages', 'Moves of L3 that wait or are under way', (status) => queuedIn(status)],
  [
    'compaction_queue_age_seconds',
    'How long the oldest of them has waited',
    (status) => secondsOf(status.compaction?.queue?.oldestAgeMs),
  ],
  [
    'compaction_queue_dead',
    'Moves that were given up after too many tries',
    (status) => status.compaction?.queue?.dead,
  ],
  ['journal_snapshot_age_seconds', 'Age of the newest snapshot on the drives', (status, nowMs) => ageOf(status, nowMs)],
];

const reducedIn = ({ redundancy }: Status): number => redundancy.reduced.reduce((sum, { volumes }) => sum + volumes, 0);
const awayIn = ({ drives }: Status): number => drives.filter(({ state }) => state === 'unavailable').length;

function queuedIn({ compaction }: Status): number | undefined {
  const queue = compaction?.queue;
  return queue == null ? undefined : queue.ready + queue.inFlight;
}

const secondsOf = (ms: number | null | undefined): number | undefined => (ms == null ? undefined : ms / 1000);

/** Known only where a volume is not complete. */
function spareIn({ redundancy: { reduced, lost } }: Status): number | undefined {
  if (lost > 0) return -1;
  return reduced.length === 0 ? undefined : Math.min(...reduced.map(({ spare }) => spare));
}

function ageOf({ journal }: Status, nowMs: number): number | undefined {
  const atMs = journal?.snapshot?.atMs;
  return atMs === undefined ? undefined : Math.max(0, nowMs - atMs) / 1000;
}

/** `status` may fail, as when the store cannot be read: then there are no such figures for a while. */
export function storeGauges(status: () => Promise<Status>, clock: Clock): GaugeSource[] {
  let known: Promise<Status | undefined> | undefined;
  let lookedMs = Number.NEGATIVE_INFINITY;
  const look = (): Promise<Status | undefined> => {
    const nowMs = clock.monotonicMs();
    if (known === undefined || nowMs - lookedMs >= STATUS_LOOK_EVERY_MS) {
      lookedMs = nowMs;
      known = status().catch(() => undefined);
    }
    return known;
  };
  return GAUGES.map(([name, help, read]) => ({
    name: `pocketful_${name}`,
    help,
    async read() {
      const found = await look();
      return found === undefined ? undefined : (read(found, clock.nowMs()) ?? undefined);
    },
  }));
}
