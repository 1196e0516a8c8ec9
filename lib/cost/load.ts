// What a month of a given load costs: blobs put, kept for a while and deleted again, once the first of them are. Item
// by item, at list prices, from what one blob and one moved GiB are counted to take (usage.ts, move.ts). Pure.
import { DAY_MS } from '../foundation/durations.ts';
import { invalid } from '../foundation/errors.ts';
import { LOAD_AMOUNT_MAX, WHOLE_BODY_BYTES_MAX } from '../limits/stage.ts';
import { earlyDeletionDollars, MS_PER_MONTH, storageDollarsPerMonth, storedRowsDollarsPerMonth } from './cost-of.ts';
import { type MovedCode, moveDollarsPerGib } from './move.ts';
import type { PriceBook, StorageClass } from './price-book.ts';
import { BLOBS_PER_CALL, ROW_BYTES_KEPT, scrubDollarsPerMonth, usageDollars } from './usage.ts';

export interface Load {
  /** Blobs a month. */
  readonly puts: number;
  readonly sizeBytes: number;
  readonly keepMonths: number;
  /** Reads of a whole blob a month. */
  readonly gets: number;
  /** Blobs of one call. */
  readonly perCall: number;
}

/** Where the load goes. */
export interface LoadedStage {
  readonly hot: MovedCode;
  readonly warm: MovedCode;
  readonly warmClass: StorageClass;
  /** How long a byte is hot, and then in trash: as it is billed. */
  readonly hotMs: number;
  readonly blockBytesMax: number;
  readonly groupBytes: number;
  /** Stored bytes over those of the code. */
  readonly storedOverCode: number;
  readonly scrubMemoryMib: number;
  readonly isRecoverable: boolean;
  readonly idleDollars: number;
  /** Of a million blobs put at so many a second; undefined: there is no journal. */
  readonly journal: ((blobsPerSecond: number) => number) | undefined;
}

export interface LoadLine {
  readonly item: string;
  readonly dollars: number;
}

const MILLION = 1e6;
const GIB = 1024 ** 3;

export function monthOfLoad(load: Load, stage: LoadedStage, book: PriceBook): readonly LoadLine[] {
  const { puts, sizeBytes, keepMonths, gets } = load;
  const { hot, warm, warmClass } = stage;
  /** A long blob goes in parts, a call and a block each. */
  const parts = Math.max(1, Math.ceil(sizeBytes / WHOLE_BODY_BYTES_MAX));
  const blocks = Math.max(1, Math.ceil(sizeBytes / stage.blockBytesMax));
  const usage = usageDollars(hot.columns, book);
  const perCall = Math.max(1, Math.min(load.perCall, Math.floor(WHOLE_BODY_BYTES_MAX / Math.max(1, sizeBytes))));
  const monthBytes = puts * sizeBytes;
  const liveBytes = monthBytes * keepMonths;
  const raw = ({ columns, dataColumns }: MovedCode): number => (columns / dataColumns) * stage.storedOverCode;
  const rows = storedRowsDollarsPerMonth(puts * keepMonths * blocks * ROW_BYTES_KEPT, book);
  const kept = (bytes: number, of: StorageClass = 'standard'): number => storageDollarsPerMonth(bytes, 0, book, of);
  const moved = (from: StorageClass): number =>
    (monthBytes / GIB) * moveDollarsPerGib(warm, stage.groupBytes, book, { from, to: warmClass });
  const early = earlyDeletionDollars(monthBytes * raw(warm), keepMonths * MS_PER_MONTH, book, warmClass);
  const lines: readonly (LoadLine | undefined)[] = [
    { item: 'idle', dollars: stage.idleDollars },
    { item: `puts, ${perCall} a call`, dollars: (puts * parts * ofCalls(usage.put1, usage.put64, perCall)) / MILLION },
    {
      item: `deletes, ${perCall} a call, and shredding`,
      dollars: (puts * blocks * ofCalls(usage.deleted1, usage.deleted, perCall)) / MILLION,
    },
    gets > 0
      ? {
          item: 'reads, one a call',
          dollars: (gets * parts * usage.get) / MILLION + readDollars(gets, sizeBytes, parts, warmClass, book),
        }
      : undefined,
    {
      item: 'storage of hot copies',
      dollars: kept(monthBytes * Math.min(1, stage.hotMs / MS_PER_MONTH) * raw(hot)),
    },
    { item: 'encoding', dollars: moved('standard') },
    { item: `storage, encoded, ${warmClass}`, dollars: kept(liveBytes * raw(warm), warmClass) },
    // Whoever deletes at random leaves volumes half-live: a GiB is moved for each that is freed.
    { item: 'compaction', dollars: moved(warmClass) },
    early > 0 ? { item: `deleted before the least time of ${warmClass}`, dollars: early } : undefined,
    {
      item: 'scrubbing',
      dollars: scrubDollarsPerMonth(liveBytes * raw(warm), stage.scrubMemoryMib, book, warmClass),
    },
    { item: 'metadata kept', dollars: rows.kept },
    stage.isRecoverable ? { item: 'its point-in-time recovery', dollars: rows.recoverable } : undefined,
    stage.journal && puts > 0
      ? { item: 'journal', dollars: (puts / MILLION) * stage.journal(puts / (MS_PER_MONTH / 1000)) }
      : undefined,
  ];
  return lines.filter((line) => line !== undefined);
}

/** What reading encoded blobs costs more in their class than in S3 Standard. */
function readDollars(gets: number, sizeBytes: number, parts: number, of: StorageClass, book: PriceBook): number {
  const { standard, [of]: prices } = book.storage;
  const requests = (gets * parts * (prices.perMillionGets - standard.perMillionGets)) / MILLION;
  return requests + (gets * sizeBytes * prices.retrievalPerGb) / 1e9;
}

/** A call costs something, and so does each blob in it: both follow from what is counted of one and of 64 a call. */
function ofCalls(one: number, many: number, perCall: number): number {
  const perBlob = (BLOBS_PER_CALL * many - one) / (BLOBS_PER_CALL - 1);
  return (one - perBlob) / perCall + perBlob;
}

const COUNT_UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, K: 1e3, M: 1e6, G: 1e9 };
const SIZE_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: GIB,
};
const MONTH_UNITS: Readonly<Record<string, number>> = { d: DAY_MS / MS_PER_MONTH, mo: 1, y: 12 };

const FIELDS: Readonly<
  Record<string, { readonly of: keyof Load; readonly units: Readonly<Record<string, number>>; readonly like: string }>
> = {
  puts: { of: 'puts', units: COUNT_UNITS, like: '1M' },
  size: { of: 'sizeBytes', units: SIZE_UNITS, like: '64KiB' },
  keep: { of: 'keepMonths', units: MONTH_UNITS, like: '12mo, 30d or 2y' },
  gets: { of: 'gets', units: COUNT_UNITS, like: '200k' },
  percall: { of: 'perCall', units: COUNT_UNITS, like: '1 to 64' },
};
const NEEDED = ['puts', 'size', 'keep'];

/** `puts=1M,size=64KiB,keep=12mo[,gets=200k][,percall=64]`, a month. Throws `invalid` LOAD_INVALID. */
export function parseLoad(text: string): Load {
  const amounts = new Map<string, number>([
    ['gets', 0],
    ['percall', BLOBS_PER_CALL],
  ]);
  const seen = new Set<string>();
  for (const pair of text.split(',')) {
    const [name = '', ...rest] = pair.split('=');
    const field = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
    if (field === undefined) throw refused(`"${pair}" is none of ${Object.keys(FIELDS).join('=…, ')}=…`);
    if (seen.has(name)) throw refused(`${name} is said twice`);
    seen.add(name);
    const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)([A-Za-z]*)$/.exec(rest.join('=')) ?? [];
    const factor = Object.hasOwn(field.units, unit) ? field.units[unit] : undefined;
    const amount = Number(digits) * (factor ?? Number.NaN);
    if (digits === '' || !(amount <= LOAD_AMOUNT_MAX)) throw refused(`${pair}: an amount is like ${field.like}`);
    amounts.set(name, amount);
  }
  for (const name of NEEDED) if (!seen.has(name)) throw refused(`${name}=… is missing`);
  const amountOf = (name: string): number => amounts.get(name) ?? Number.NaN;
  const [sizeBytes, perCall] = [amountOf('size'), amountOf('percall')];
  if (sizeBytes < 1) throw refused('a blob has at least one byte: size=64KiB');
  if (amountOf('keep') <= 0) throw refused('a blob is kept for some time: keep=30d');
  if (!Number.isInteger(perCall) || perCall < 1 || perCall > BLOBS_PER_CALL)
    throw refused(`percall is 1 to ${BLOBS_PER_CALL} blobs`);
  return {
    puts: Math.round(amountOf('puts')),
    sizeBytes: Math.round(sizeBytes),
    keepMonths: amountOf('keep'),
    gets: Math.round(amountOf('gets')),
    perCall,
  };
}

const refused = (why: string): Error => invalid('LOAD_INVALID', `load: ${why}; such as puts=1M,size=64KiB,keep=12mo`);
