// The cost sheet of a stage: what it costs idle, and what keeping and using it costs, at list prices.
import type { CodecName } from '../../../lib/codec/codec.ts';
import { codecShape } from '../../../lib/codec/shape.ts';
import { storageDollarsPerMonth } from '../../../lib/cost/cost-of.ts';
import { idleDollarsPerMonth } from '../../../lib/cost/idle.ts';
import { journalDollars } from '../../../lib/cost/journal.ts';
import { type Load, type LoadLine, monthOfLoad } from '../../../lib/cost/load.ts';
import type { MovedCode } from '../../../lib/cost/move.ts';
import { PRICE_BOOK } from '../../../lib/cost/price-book.ts';
import { scrubSweepMs } from '../../../lib/cost/scrub-sweep.ts';
import { GATHERED_CALLERS, scrubDollarsPerMonth, usageDollars } from '../../../lib/cost/usage.ts';
import { journalCopies } from '../../../lib/engine/ship/store-journal.ts';
import { DAY_MS } from '../../../lib/foundation/durations.ts';
import { idleStageOf } from '../../../lib/infra/stacks/idle-stage.ts';
import { JOURNAL_BATCH, JOURNAL_MEMORY_MIB, LIGHT_MEMORY_MIB } from '../../../lib/infra/stage-parts.ts';
import type { StageSettings } from '../../../lib/infra/stage-settings.ts';

export interface CostLine {
  readonly what: string;
  readonly dollars: number;
}

const GB = 1e9;
/** As the tests hold it to (test/store/overhead.test.ts). */
const STORED_OVER_CODE = 1.06;

export function costSheetOf(stage: StageSettings): readonly CostLine[] {
  const idle = idleDollarsPerMonth(idleStageOf(stage), PRICE_BOOK);
  const { dataColumns, parityColumns } = codecShape(stage.store.warmCodec);
  const rawBytes = ((dataColumns + parityColumns) / dataColumns) * STORED_OVER_CODE * GB;
  const parts = Object.entries(idle).filter(([name, dollars]) => name !== 'total' && dollars >= 0.005);
  return [
    ...parts.map(([name, dollars]) => ({ what: `idle, a month: ${name}`, dollars })),
    { what: 'idle, a month', dollars: idle.total },
    {
      what: `a GB of live data, a month (${stage.store.warmCodec} in ${stage.warmClass}, at ${STORED_OVER_CODE} of its overhead)`,
      dollars: storageDollarsPerMonth(rawBytes, 0, PRICE_BOOK, stage.warmClass),
    },
    {
      what: `all of it read by the scrubber every ${scrubSweepMs(stage.warmClass) / DAY_MS} days, a month`,
      dollars: scrubDollarsPerMonth(rawBytes, LIGHT_MEMORY_MIB, PRICE_BOOK, stage.warmClass),
    },
    { what: `the same in S3 alone`, dollars: storageDollarsPerMonth(GB, 0, PRICE_BOOK, 'standard') },
    ...usageLines(stage),
  ];
}

/** Of blobs of 64 KiB; a stage that may be destroyed keeps no way back. */
function usageLines(stage: StageSettings): CostLine[] {
  const { store, ephemeral, journal: isJournalled } = stage;
  const hot = codecShape(store.hotCodec);
  const usage = usageDollars(hot.dataColumns + hot.parityColumns, PRICE_BOOK);
  const recovery = { what: 'its point-in-time recovery, a month', dollars: usage.rowsRecoverable };
  return [
    { what: 'a million blobs of 64 KiB put, 64 a call', dollars: usage.put64 },
    { what: 'a million blobs of 64 KiB put, one a call, one after the other', dollars: usage.put1 },
    {
      what: `a million blobs of 64 KiB put, one a call, ${GATHERED_CALLERS} at once from one client`,
      dollars: usage.put1Gathered,
    },
    { what: 'a million blobs of 64 KiB read, one a call', dollars: usage.get },
    { what: 'a million blobs deleted, 64 a call, and shredded', dollars: usage.deleted },
    { what: 'a million blobs deleted, one a call, and shredded', dollars: usage.deleted1 },
    { what: 'metadata of a million blobs, a month', dollars: usage.rowsKept },
    ...(ephemeral ? [] : [recovery]),
    ...(isJournalled ? [1, 100] : []).map((perSecond) => ({
      what: `the journal of a million blobs put, ${perSecond} a second`,
      dollars: journalOf(stage)(perSecond),
    })),
  ];
}

/** Dollars of a million blobs. */
function journalOf({ store, drives }: StageSettings): (blobsPerSecond: number) => number {
  const shape = { batch: JOURNAL_BATCH, copies: journalCopies(store), drives, memoryMiB: JOURNAL_MEMORY_MIB };
  return (blobsPerSecond) => journalDollars(shape, blobsPerSecond, PRICE_BOOK);
}

const movedCode = (name: CodecName): MovedCode => {
  const { dataColumns, parityColumns } = codecShape(name);
  return { columns: dataColumns + parityColumns, dataColumns };
};

/** A month of a load, item by item; the last line is the sum. */
export function monthSheetOf(stage: StageSettings, load: Load): readonly LoadLine[] {
  const { store, ephemeral, journal } = stage;
  const lines = monthOfLoad(
    load,
    {
      hot: movedCode(store.hotCodec),
      warm: movedCode(store.warmCodec),
      warmClass: stage.warmClass,
      hotMs: store.encodeAfterMs + store.trashGraceMs,
      blockBytesMax: store.blockBytesMax,
      groupBytes: store.groupBytesMin,
      storedOverCode: STORED_OVER_CODE,
      scrubMemoryMib: LIGHT_MEMORY_MIB,
      isRecoverable: !ephemeral,
      idleDollars: idleDollarsPerMonth(idleStageOf(stage), PRICE_BOOK).total,
      journal: journal ? journalOf(stage) : undefined,
    },
    PRICE_BOOK,
  );
  return [...lines, { item: 'all of it', dollars: lines.reduce((sum, { dollars }) => sum + dollars, 0) }];
}
