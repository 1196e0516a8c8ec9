// The planner of merges: which bucket remnants become one bucket, if any. Lazy: nothing before there are too many rows
// per live GiB, and then only what saves rows at a bearable price in block rows, the cheapest first. Size-tiered:
// remnants are merged with those of their own size, so that a block is rewritten at most once a tier. Pure: a snapshot
// in, a frozen plan out.
import { createHash } from 'node:crypto';
import type { CodecName } from '../../codec/codec.ts';
import { codecShape } from '../../codec/shape.ts';
import { dollarsOf, NO_WORK, type Work } from '../../cost/cost-of.ts';
import { PRICE_BOOK, type PriceBook } from '../../cost/price-book.ts';
import { FLEET_STATES, type FleetState } from '../facts/fleet.ts';
import type { MergeSettings } from '../facts/merge-settings.ts';
import type { PlanSettings } from '../facts/plan-settings.ts';
import type { RemnantView } from '../facts/remnants.ts';
import { BUDGET_LINES, type BudgetLine, spendingOf } from './budget.ts';
import { deepFreeze, roundDollars, roundRatio } from './plan.ts';
import { pricingOf } from './work.ts';

const GIB = 1024 ** 3;
const SEALED = FLEET_STATES.indexOf('sealed');
/** Volumes whose rows count: what is merged lies in an open one at first. */
const COUNTED: ReadonlySet<number> = new Set(
  ['open', 'sealed', 'leased'].map((name) => FLEET_STATES.indexOf(name as FleetState)),
);
/** Block rows to a read unit of 4 KB. */
const BLOCK_ROWS_PER_READ = 10;
/** Rows of a source: its bucket and its dead bits when its blocks leave, and the three of its end. */
const ROWS_PER_SOURCE = 5;
/** Lease, note of where its blocks went, end. */
const ROWS_PER_VOLUME = 3;
/** Lease, volume and group row of the commit, settling. */
const ROWS_PER_GROUP = 4;
const BLOCKS_PER_TRANSACTION = 45;

/** null = not limited. */
export type MergeBudget = Readonly<Record<BudgetLine, number | null>>;

export interface MergeRequest {
  readonly view: RemnantView;
  readonly settings: MergeSettings;
  /** How the bytes are written and counted. */
  readonly codec: CodecName;
  readonly plan: PlanSettings;
  readonly budget?: MergeBudget;
  readonly book?: PriceBook;
}

export interface MergeSource {
  readonly bucket: string;
  readonly volume: string;
  readonly liveBytes: number;
  /** Estimated. */
  readonly blocks: number;
}

/** One new bucket. */
export interface PlannedMerge {
  /** 0: more than 1/tierFactor of a full bucket; each next one is so much smaller. */
  readonly tier: number;
  readonly ageClass: number;
  readonly sources: readonly MergeSource[];
  readonly liveBytes: number;
  readonly blocks: number;
  readonly rowsSaved: number;
  readonly reason: string;
}

/** Rows of buckets in warm volumes, and the live bytes they hold. */
export interface RemnantFigures {
  readonly rows: number;
  readonly liveBytes: number;
  readonly rowsPerGib: number;
}

export interface MergePlan {
  readonly store: string;
  readonly cell: string;
  readonly before: RemnantFigures;
  readonly after: RemnantFigures;
  readonly merges: readonly PlannedMerge[];
  /** Buckets without a live slot in volumes that are leased in any case: their rows go, too. */
  readonly emptyBuckets: number;
  readonly volumes: readonly { readonly volume: string; readonly generation: number; readonly buckets: number }[];
  readonly blockRows: number;
  readonly work: Work;
  readonly dollars: number;
  /** Why these merges, or why none. */
  readonly reason: string;
  readonly digest: string;
}

/** The same view under the same settings gives the same plan. */
export function planMerges(request: MergeRequest): MergePlan {
  const { view, settings } = request;
  const before = figuresOf(view);
  if (before.rowsPerGib <= settings.rowsPerGibMax)
    return planOf(request, before, NO_WORK, [], `${rate(before)} are within the bound of ${settings.rowsPerGibMax}`);
  const target = Math.floor((settings.relief * settings.rowsPerGibMax * before.liveBytes) / GIB);
  const found = candidates(view, settings);
  const chosen = new Choice(request, before.rows - target);
  for (const merge of found) if (!chosen.isEnough) chosen.offer(merge);
  return planOf(request, before, chosen.work, ...chosen.outcome(before, found.length));
}

function figuresOf(view: RemnantView): RemnantFigures {
  let rows = 0;
  let liveBytes = 0;
  for (let i = 0; i < view.count; i++) {
    if (!COUNTED.has(view.state[view.volume[i] as number] as number)) continue;
    rows += 1;
    liveBytes += view.liveBytes[i] as number;
  }
  return figures(rows, liveBytes);
}

const figures = (rows: number, liveBytes: number): RemnantFigures => ({
  rows,
  liveBytes,
  rowsPerGib: liveBytes > 0 ? roundRatio(rows / (liveBytes / GIB)) : 0,
});

const rate = ({ rowsPerGib, rows }: RemnantFigures): string => `${rowsPerGib} rows per live GiB (${rows} buckets)`;

/** Every merge there could be, the one that writes fewest block rows for each row it saves first. */
function candidates(view: RemnantView, settings: MergeSettings): PlannedMerge[] {
  const groups = new Map<number, number[]>();
  for (let i = 0; i < view.count; i++) {
    const live = view.liveBytes[i] as number;
    const home = view.volume[i] as number;
    if (view.state[home] !== SEALED || live <= 0 || live > settings.remnantFraction * settings.bucketBytes) continue;
    const key = (view.ageClass[home] as number) * 64 + tierOf(live, settings);
    const members = groups.get(key);
    if (members === undefined) groups.set(key, [i]);
    else members.push(i);
  }
  const merges = [...groups].flatMap(([key, members]) => mergesOf(view, settings, key, members));
  return merges.sort((a, b) => price(a) - price(b) || (idOf(a) < idOf(b) ? -1 : 1));
}

const idOf = (merge: PlannedMerge): string => merge.sources[0]?.bucket ?? '';
const price = (merge: PlannedMerge): number => merge.blocks / merge.rowsSaved;

/** How often a full bucket has to be divided by the factor to get to this size. */
export function tierOf(liveBytes: number, { bucketBytes, tierFactor }: MergeSettings): number {
  let tier = 0;
  for (let bytes = liveBytes * tierFactor; bytes <= bucketBytes && tier < 63; bytes *= tierFactor) tier += 1;
  return tier;
}

/** Remnants of one age and tier, those of fewest blocks first, as many to a bucket as it holds. */
function mergesOf(view: RemnantView, settings: MergeSettings, key: number, members: readonly number[]): PlannedMerge[] {
  const blocksOf = (i: number): number => view.blocks[i] as number;
  const ordered = [...members].sort((a, b) => blocksOf(a) - blocksOf(b) || a - b);
  const out: PlannedMerge[] = [];
  let taken: number[] = [];
  let liveBytes = 0;
  let blocks = 0;
  const close = (): void => {
    if (taken.length >= settings.sourcesMin) out.push(mergeOf(view, settings, key, taken, liveBytes, blocks));
    taken = [];
    liveBytes = 0;
    blocks = 0;
  };
  for (const i of ordered) {
    const bytes = view.liveBytes[i] as number;
    if (liveBytes + bytes > settings.bucketBytes || blocks + blocksOf(i) > settings.slotsPerBucketMax) close();
    taken.push(i);
    liveBytes += bytes;
    blocks += blocksOf(i);
  }
  close();
  return out;
}

function mergeOf(
  view: RemnantView,
  settings: MergeSettings,
  key: number,
  taken: readonly number[],
  liveBytes: number,
  blocks: number,
): PlannedMerge {
  const fill = (liveBytes / settings.bucketBytes).toFixed(3);
  const rowsSaved = taken.length - 1;
  return {
    tier: key % 64,
    ageClass: Math.floor(key / 64),
    sources: taken.map((i) => ({
      bucket: view.buckets[i] as string,
      volume: view.volumes[view.volume[i] as number] as string,
      liveBytes: view.liveBytes[i] as number,
      blocks: view.blocks[i] as number,
    })),
    liveBytes,
    blocks,
    rowsSaved,
    reason: `${taken.length} remnants of tier ${key % 64} make a bucket of fill ${fill}; ${blocks} block rows for ${rowsSaved} rows saved`,
  };
}

/** What merges add up to. */
interface Totals {
  readonly merges: number;
  readonly liveBytes: number;
  readonly blocks: number;
  readonly sources: number;
  readonly volumes: number;
  readonly rowsSaved: number;
}
const NONE: Totals = { merges: 0, liveBytes: 0, blocks: 0, sources: 0, volumes: 0, rowsSaved: 0 };

const plus = (totals: Totals, merge: PlannedMerge, newVolumes: number): Totals => ({
  merges: totals.merges + 1,
  liveBytes: totals.liveBytes + merge.liveBytes,
  blocks: totals.blocks + merge.blocks,
  sources: totals.sources + merge.sources.length,
  volumes: totals.volumes + newVolumes,
  rowsSaved: totals.rowsSaved + merge.rowsSaved,
});

/** Merges accepted one after the other, while they are cheap enough and the limits carry them. */
class Choice {
  readonly #request: MergeRequest;
  readonly #rowsToSave: number;
  /** Block rows of the store: all are read to find those of the remnants. */
  readonly #scanned: number;
  readonly #merges: PlannedMerge[] = [];
  readonly #volumes = new Set<string>();
  #totals = NONE;
  /** What turned the first one away. */
  #refusal: string | undefined;

  constructor(request: MergeRequest, rowsToSave: number) {
    this.#request = request;
    this.#rowsToSave = rowsToSave;
    this.#scanned = request.view.blocks.reduce((sum, blocks) => sum + blocks, 0);
  }

  /**
   * Enough rows are saved, those that looking for the blocks takes are spread over enough of them, and what is written
   * is no splinter.
   */
  get isEnough(): boolean {
    return this.#totals.rowsSaved >= this.#rowsToSave && this.#isEfficient && this.#isLevel;
  }

  get work(): Work {
    return workOfMerges(this.#request, this.#accepted, this.#scanned);
  }

  get #isEfficient(): boolean {
    const { blockRowsPerRowMax, scanRowsPerWrite } = this.#request.settings;
    const { blocks, rowsSaved } = this.#totals;
    return blocks + this.#scanned / scanRowsPerWrite <= blockRowsPerRowMax * rowsSaved;
  }

  get #isLevel(): boolean {
    const { codec, settings } = this.#request;
    return this.#totals.blocks >= settings.blocksPerColumnMin * codecShape(codec).dataColumns;
  }

  get #accepted(): Totals {
    return this.#isEfficient && this.#isLevel ? this.#totals : NONE;
  }

  offer(merge: PlannedMerge): void {
    const homes = new Set(merge.sources.map(({ volume }) => volume)).difference(this.#volumes);
    const totals = plus(this.#totals, merge, homes.size);
    const refusal = this.#whyNot(merge, totals);
    if (refusal !== undefined) {
      this.#refusal ??= refusal;
      return;
    }
    this.#merges.push(merge);
    for (const volume of homes) this.#volumes.add(volume);
    this.#totals = totals;
  }

  #whyNot(merge: PlannedMerge, totals: Totals): string | undefined {
    const { settings } = this.#request;
    if (price(merge) > settings.blockRowsPerRowMax) return 'they save too few rows for their block rows';
    if (totals.blocks > settings.blockRowsMax) return 'this plan has as many block rows as it may';
    if (totals.volumes > settings.volumesMax) return 'this plan has as many volumes as it may';
    return this.#affords(totals) ? undefined : 'no budget is left for them in this plan';
  }

  /** The merges, and why these or why none. */
  outcome(before: RemnantFigures, found: number): readonly [readonly PlannedMerge[], string] {
    const over = `${rate(before)} are over the bound of ${this.#request.settings.rowsPerGibMax}`;
    if (found === 0) return [[], `${over}, but too few remnants of one size are there to merge yet`];
    if (this.#merges.length === 0) return [[], `${over}, but ${this.#refusal ?? 'nothing can be merged'}`];
    if (!this.#isEfficient) return [[], `${over}, but looking for the blocks of so few remnants does not pay yet`];
    if (!this.#isLevel) return [[], `${over}, but ${this.#refusal ?? 'so few blocks do not make a level group yet'}`];
    const left = this.#refusal === undefined ? '' : `; more are left: ${this.#refusal}`;
    return [this.#merges, `${over}: ${this.#merges.length} merges, the cheapest first${left}`];
  }

  #affords(totals: Totals): boolean {
    const { budget } = this.#request;
    if (budget === undefined) return true;
    const work = workOfMerges(this.#request, totals, this.#scanned);
    const spent = spendingOf(work, dollarsFor(this.#request, work));
    return BUDGET_LINES.every((line) => budget[line] === null || spent[line] <= budget[line]);
  }
}

function workOfMerges({ codec, plan }: MergeRequest, totals: Totals, scanned: number): Work {
  if (totals.merges === 0) return NO_WORK;
  const { dataColumns, parityColumns } = codecShape(codec);
  const columns = dataColumns + parityColumns;
  const { merges, liveBytes, blocks, sources, volumes } = totals;
  const groups = Math.ceil(liveBytes / plan.groupBytes);
  return {
    ...NO_WORK,
    bytesRead: liveBytes,
    bytesWritten: Math.ceil((liveBytes * columns) / dataColumns),
    getRequests: Math.ceil(liveBytes / plan.readBytes) + sources,
    putRequests: groups * columns + merges * (parityColumns + 1),
    metadataWrites:
      Math.ceil(blocks * (1 + 1 / BLOCKS_PER_TRANSACTION)) +
      sources * ROWS_PER_SOURCE +
      merges +
      volumes * ROWS_PER_VOLUME +
      groups * ROWS_PER_GROUP,
    metadataReads: Math.ceil(scanned / BLOCK_ROWS_PER_READ) + sources * 2,
    computeMs: Math.ceil((liveBytes / plan.moveBytesPerSecond) * 1000),
  };
}

const dollarsFor = ({ plan, book }: MergeRequest, work: Work): number =>
  dollarsOf(work, pricingOf(plan, book ?? PRICE_BOOK)).total;

function planOf(
  request: MergeRequest,
  before: RemnantFigures,
  work: Work,
  merges: readonly PlannedMerge[],
  reason: string,
): MergePlan {
  const { view } = request;
  const names = new Set(merges.flatMap(({ sources }) => sources.map(({ volume }) => volume)));
  const volumes = view.volumes.flatMap((volume, i) =>
    names.has(volume)
      ? [{ volume, generation: view.generation[i] as number, buckets: view.bucketCount[i] as number }]
      : [],
  );
  let emptyBuckets = 0;
  for (let i = 0; i < view.count; i++)
    if (view.liveBytes[i] === 0 && names.has(view.volumes[view.volume[i] as number] as string)) emptyBuckets += 1;
  const saved = merges.reduce((sum, merge) => sum + merge.rowsSaved, 0) + emptyBuckets;
  const body = {
    store: view.store,
    cell: view.cell,
    before,
    after: figures(before.rows - saved, before.liveBytes),
    merges,
    emptyBuckets,
    volumes,
    blockRows: merges.reduce((sum, merge) => sum + merge.blocks, 0),
    work,
    dollars: roundDollars(dollarsFor(request, work)),
    reason,
  };
  const digest = createHash('sha256').update(JSON.stringify(body)).digest('hex');
  return deepFreeze({ ...body, digest });
}
