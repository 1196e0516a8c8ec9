// The cost sheet: what a stage costs idle, and what keeping, putting, reading and compacting cost, from the calls of
// the real store on memory bodies and the price book. Where bytes are compacted they are 16 times smaller than under
// the preset.

import { costSheetOf, monthSheetOf } from '../bin/commands/stage/deploy-costs.ts';
import { codecShape } from '../lib/codec/shape.ts';
import { storedRowsDollarsPerMonth } from '../lib/cost/cost-of.ts';
import { idleDollarsPerMonth } from '../lib/cost/idle.ts';
import { parseLoad } from '../lib/cost/load.ts';
import { PRICE_BOOK } from '../lib/cost/price-book.ts';
import { GATHERED_CALLERS } from '../lib/cost/usage.ts';
import { idleStageOf } from '../lib/infra/stacks/idle-stage.ts';
import { parseStageSettings } from '../lib/infra/stage-settings.ts';
import { PRESETS, type Settings } from '../lib/settings/settings.ts';
import {
  type CompactionCost,
  type CostFigure,
  compactionCost,
  deleteCost,
  getCost,
  lookCost,
  lrcOfCell,
  metadataBytes,
  putCost,
  type ScrubCost,
  scaledDown,
  scrubCost,
} from '../test/cost/figures.ts';
import { gatheredPutCost } from '../test/cost/gathered.ts';
import { type Benches, type BenchResult, type Figure, machine } from './bench.ts';

/** Kept for long and hardly read; read as often as it is put; kept for a month. */
const CLASS_LOADS = ['puts=1M,size=1MiB,keep=5y', 'puts=1M,size=1MiB,keep=5y,gets=30M', 'puts=1M,size=1MiB,keep=1mo'];
const PUT_CALLS = 16;
const GET_CALLS = 64;
const VOLUMES = 8;
const SEALED_VOLUMES = [20, 2_000, 20_000];
/** Smaller, and headers, directories and the last group of a volume are more than they would be. */
const SCALE = 16;
const MILLION = 1e6;

export const benches: Benches = { cost };

async function cost(): Promise<BenchResult> {
  const figures: Figure[] = [...idle(), ...kept()];
  for (const preset of ['personal', 'thrifty'] as const) {
    figures.push(...parts(`${preset}: a million puts of 64 KiB, 64 a call`, await putCost(PRESETS[preset], PUT_CALLS)));
    figures.push(...parts(`${preset}: a million puts of 64 KiB, one a call`, await putCost(PRESETS[preset], 64, 1)));
    const gathered = await gatheredPutCost(PRESETS[preset], 'client', GATHERED_CALLERS, 8);
    figures.push(
      ...parts(
        `${preset}: a million puts of 64 KiB, one a call, ${GATHERED_CALLERS} at once from one client`,
        gathered,
      ),
    );
    figures.push(...parts(`${preset}: a million gets of 64 KiB`, await getCost(PRESETS[preset], GET_CALLS)));
    const { deleted, shredded } = await deleteCost(PRESETS[preset], PUT_CALLS);
    figures.push(...parts(`${preset}: a million deletes, 64 a call`, deleted));
    figures.push(...parts(`${preset}: a million deleted blobs shredded by GC`, shredded));
    const single = await deleteCost(PRESETS[preset], 64, 1);
    figures.push(...parts(`${preset}: a million deletes, one a call`, single.deleted));
    figures.push(
      ...parts(`${preset}: a million blobs deleted one a call, shredded by one pass of GC`, single.shredded),
    );
    figures.push(...(await rowsKept(preset)));
    for (const sealed of SEALED_VOLUMES) {
      const name = `${preset}: looking for open volumes at each of a million puts, ${sealed} volumes sealed`;
      figures.push(dollars(name, await lookCost(PRESETS[preset], sealed)));
    }
  }
  for (const [name, settings] of [
    ['single (thrifty)', scaledDown('thrifty', SCALE)],
    ['rs-6-3 (personal)', scaledDown('personal', SCALE)],
    ['lrc-12-2-2, groups of 192 MiB (cell)', lrcOfCell(SCALE)],
  ] as const) {
    figures.push(...compaction(`${name}: 1,000 GiB compacted`, await compactionCost(settings, VOLUMES, SCALE)));
    figures.push(...scrubbed(name, await scrubCost(settings, 2, SCALE)));
  }
  return { bench: 'cost', machine: `${PRICE_BOOK.name} of ${PRICE_BOOK.date}; ${machine()}`, figures };
}

/** Of blobs of 64 KiB. */
function scrubbed(name: string, cost: ScrubCost): Figure[] {
  const what = `${name}: a GB of live data scrubbed every 14 days, a month`;
  return [
    ...parts(what, cost),
    { name: `${what}: of what its storage costs`, value: cost.ofStorage * 100, unit: '%' },
    { name: `${what}: GETs per stored GB and sweep`, value: cost.getsPerStoredGb, unit: 'requests' },
  ];
}

const dollars = (name: string, value: number): Figure => ({ name, value, unit: '$' });

function idle(): Figure[] {
  const { total, ...rest } = idleDollarsPerMonth(idleStageOf(parseStageSettings({})), PRICE_BOOK);
  const details = Object.entries(rest).map(([part, value]) => dollars(`idle stage, a month: ${part}`, value));
  return [dollars('idle stage, a month', total), ...details];
}

/** Bytes as S3 bills them, sealed; a day's hot copies and the metadata are not in it. */
function kept(): Figure[] {
  const perGb = PRICE_BOOK.storage.standard.perGbMonth;
  const ratio = (codec: Settings['warmCodec']): number => {
    const { dataColumns: k, parityColumns: m } = codecShape(codec);
    return (k + m) / k;
  };
  return [
    dollars('plain S3 Standard: a GB and month', perGb),
    ...(['single', 'lrc-12-2-2', 'rs-6-3', 'replica-4'] as const).map((codec) =>
      dollars(`${codec}: a GB and month`, perGb * ratio(codec)),
    ),
    ...(['standard', 'standard-ia', 'glacier-ir'] as const).flatMap(inClass),
  ];
}

/** Under `personal`: what is kept, scrubbed, and what a month of two loads costs in all. */
function inClass(warmClass: string): Figure[] {
  const stage = parseStageSettings({ warmClass });
  const lines = costSheetOf(stage).filter(({ what }) => /^a GB of live data|scrubber/.test(what));
  const month = (load: string): Figure => {
    const total = monthSheetOf(stage, parseLoad(load)).at(-1)?.dollars ?? Number.NaN;
    return dollars(`${warmClass}: a month of ${load}`, total);
  };
  return [...lines.map((line) => dollars(`${warmClass}: ${line.what}`, line.dollars)), ...CLASS_LOADS.map(month)];
}

async function rowsKept(preset: 'personal' | 'thrifty'): Promise<Figure[]> {
  const bytes = await metadataBytes(PRESETS[preset], PUT_CALLS);
  const { kept, recoverable } = storedRowsDollarsPerMonth(bytes * MILLION, PRICE_BOOK);
  return [
    dollars(`${preset}: metadata of a million blobs, a month`, kept),
    dollars(`${preset}: its point-in-time recovery, a month`, recoverable),
    { name: `${preset}: metadata of a blob, as DynamoDB bills it`, value: bytes, unit: 'B' },
  ];
}

const parts = (name: string, { total, requests, metadata, compute }: CostFigure): Figure[] => [
  dollars(name, total),
  dollars(`${name}: requests`, requests),
  dollars(`${name}: metadata`, metadata),
  dollars(`${name}: compute (reckoned)`, compute),
];

/** Dollars of a thousand GiB: those of one have too few digits. */
const compaction = (name: string, figure: CompactionCost): Figure[] => [
  ...[...parts(name, figure), dollars(`${name}: calls (requests and metadata)`, figure.requests + figure.metadata)].map(
    ({ value, ...rest }) => ({ ...rest, value: 1000 * value }),
  ),
  { name: `${name}: puts per GiB`, value: figure.putsPerGib, unit: '' },
  { name: `${name}: gets per GiB`, value: figure.getsPerGib, unit: '' },
  { name: `${name}: rows written per GiB`, value: figure.metadataWritesPerGib, unit: '' },
];
