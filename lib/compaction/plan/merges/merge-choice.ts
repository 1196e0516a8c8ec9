// Which of the possible merges a plan takes: as few as bring the rows down far enough, while each is cheap enough and
// the budgets carry them.
import { codecShape } from '../../../codec/shape.ts';
import type { Work } from '../../../cost/cost-of.ts';
import type { Reason } from '../../../foundation/reason.ts';
import { BUDGET_LINES, spendingOf } from '../budget.ts';
import { blockRowsPerRow } from './merge-candidates.ts';
import type { MergeRequest, PlannedMerge } from './merge-plan.ts';
import { dollarsOfMerges, type MergeTotals, NO_MERGES, plusMerge, workOfMerges } from './merge-work.ts';

/** Merges accepted one after the other, while they are cheap enough and the limits carry them. */
export class MergeChoice {
  readonly #request: MergeRequest;
  readonly #rowsToSave: number;
  /** Block rows of the store: all are read to find those of the remnants. */
  readonly #scanned: number;
  readonly #merges: PlannedMerge[] = [];
  readonly #volumes = new Set<string>();
  #totals = NO_MERGES;
  /** What turned the first one away. */
  #refusal: Reason | undefined;

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

  get #accepted(): MergeTotals {
    return this.#isEfficient && this.#isLevel ? this.#totals : NO_MERGES;
  }

  offer(merge: PlannedMerge): void {
    const homes = new Set(merge.sources.map(({ volume }) => volume)).difference(this.#volumes);
    const totals = plusMerge(this.#totals, merge, homes.size);
    const refusal = this.#whyNot(merge, totals);
    if (refusal !== undefined) {
      this.#refusal ??= refusal;
      return;
    }
    this.#merges.push(merge);
    for (const volume of homes) this.#volumes.add(volume);
    this.#totals = totals;
  }

  #whyNot(merge: PlannedMerge, totals: MergeTotals): Reason | undefined {
    const { settings } = this.#request;
    if (blockRowsPerRow(merge) > settings.blockRowsPerRowMax)
      return { code: 'MERGES_TOO_DEAR', text: 'they save too few rows for their block rows' };
    if (totals.blocks > settings.blockRowsMax)
      return { code: 'MERGE_ROWS_SPENT', text: 'this plan has as many block rows as it may' };
    if (totals.volumes > settings.volumesMax)
      return { code: 'MERGE_VOLUMES_SPENT', text: 'this plan has as many volumes as it may' };
    if (this.#affords(totals)) return undefined;
    return { code: 'MERGE_BUDGET_SPENT', text: 'no budget is left for them in this plan' };
  }

  /** The merges, and why these or why none; `over`: what there is too much of, `found`: how many were offered. */
  outcome(over: string, found: number): readonly [readonly PlannedMerge[], Reason] {
    const none = this.#whyNone(found);
    if (none !== undefined) return [[], { code: none.code, text: `${over}, but ${none.text}` }];
    const left = this.#refusal === undefined ? '' : `; more are left: ${this.#refusal.text}`;
    const text = `${over}: ${this.#merges.length} merges, the cheapest first${left}`;
    return [this.#merges, { code: 'MERGES_CHOSEN', text }];
  }

  #whyNone(found: number): Reason | undefined {
    if (found === 0) return { code: 'TOO_FEW_REMNANTS', text: 'too few remnants of one size are there to merge yet' };
    if (this.#merges.length === 0) return this.#refusal ?? { code: 'NOTHING_TO_MERGE', text: 'nothing can be merged' };
    if (!this.#isEfficient)
      return { code: 'SCAN_TOO_DEAR', text: 'looking for the blocks of so few remnants does not pay yet' };
    if (this.#isLevel) return undefined;
    return this.#refusal ?? { code: 'GROUP_UNEVEN', text: 'so few blocks do not make a level group yet' };
  }

  #affords(totals: MergeTotals): boolean {
    const { budget } = this.#request;
    if (budget === undefined) return true;
    const work = workOfMerges(this.#request, totals, this.#scanned);
    const spent = spendingOf(work, dollarsOfMerges(this.#request, work));
    return BUDGET_LINES.every((line) => budget[line] === null || spent[line] <= budget[line]);
  }
}
