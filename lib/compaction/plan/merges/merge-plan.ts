// What a plan of merges is made from and says.
import type { CodecName } from '../../../codec/codec.ts';
import type { Work } from '../../../cost/cost-of.ts';
import type { PriceBook } from '../../../cost/price-book.ts';
import type { Reason } from '../../../foundation/reason.ts';
import type { MergeSettings } from '../../facts/merge-settings.ts';
import type { PlanSettings } from '../../facts/plan-settings.ts';
import type { RemnantView } from '../../facts/remnants.ts';
import type { BudgetLine } from '../budget.ts';

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
  readonly reason: Reason;
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
  readonly reason: Reason;
  readonly digest: string;
}
