// The planner: a snapshot, settings, budgets and a threshold in, a frozen plan out. Every strategy first spends its own
// share of the budgets; then, L3 first and L1 last, whatever is left.
import { PRICE_BOOK, type PriceBook } from '../../cost/price-book.ts';
import { digestOf, type FleetView, sealedTotals } from '../facts/fleet.ts';
import {
  checkThreshold,
  type PlanSettings,
  parsePlanSettings,
  STRATEGIES,
  type Strategy,
} from '../facts/plan-settings.ts';
import { type Budgets, Ledger, parseBudgets, spendingOf, UNLIMITED } from './budget.ts';
import { groupsOf } from './groups.ts';
import { TopOffProposer } from './l1-propose.ts';
import { PackProposer } from './l2-propose.ts';
import { DrainProposer } from './l3-propose.ts';
import {
  type CompactionPlan,
  LEGEND,
  PLAN_VERSION,
  type PlannedMerges,
  type PlannedRun,
  planOf,
  roundDollars,
  roundRatio,
} from './plan.ts';
import type { Context, Draft, Proposer } from './proposals.ts';
import { classify, VERDICT_NAMES, VERDICTS, type Verdict, verdictCode } from './selector.ts';
import { withPayingRanges } from './top-offs.ts';
import { waitingFills } from './waiting.ts';

export interface PlanRequest {
  readonly view: FleetView;
  readonly settings: PlanSettings;
  /** Least dead fraction worth a run. */
  readonly threshold: number;
  readonly budgets?: Budgets;
  readonly book?: PriceBook;
  /** Merges of bucket remnants that come before, to be shown. */
  readonly merges?: PlannedMerges;
}

/** Plans all strategies asked for. Throws `invalid` for settings, budgets or a threshold that make no sense. */
export function planCompaction(request: PlanRequest): CompactionPlan {
  const asked = parsePlanSettings(request.settings);
  const budgets = parseBudgets(request.budgets ?? UNLIMITED);
  const threshold = checkThreshold(request.threshold);
  const book = request.book ?? PRICE_BOOK;
  const { view } = request;
  const settings = withPayingRanges(view, asked, { threshold, budgets, book });
  const verdicts = classify(view, settings, threshold, waitingFills(view, settings, book));
  const context: Context = { view, settings, threshold, book, verdicts };
  const groups = groupsOf(view, verdicts, settings);
  const proposers: Proposer[] = [
    new DrainProposer(context, groups.l3),
    new PackProposer(context, groups.l2),
    new TopOffProposer(context, groups.l1),
  ];
  const plan = new Planning(context, new Ledger(budgets, settings.strategies), proposers);
  plan.spend();
  plan.explain();
  return planOf({
    version: PLAN_VERSION,
    store: view.store,
    cell: view.cell,
    snapshot: digestOf(view),
    threshold,
    settings,
    budgets,
    prices: { name: book.name, date: book.date },
    ...plan.figures(request.merges ?? null),
    verdicts: lettersOf(verdicts),
    legend: LEGEND,
  });
}

/** One plan in the making. */
class Planning {
  readonly #context: Context;
  readonly #ledger: Ledger;
  readonly #proposers: readonly Proposer[];
  readonly #runs: PlannedRun[] = [];
  readonly #before: ReturnType<typeof sealedTotals>;
  #capacityBytes: number;
  #volumes: number;
  #begunBytes = 0;
  #saved = 0;
  #unpaid = false;

  constructor(context: Context, ledger: Ledger, proposers: readonly Proposer[]) {
    this.#context = context;
    this.#ledger = ledger;
    this.#proposers = proposers;
    this.#before = sealedTotals(context.view);
    this.#capacityBytes = this.#before.capacityBytes;
    this.#volumes = this.#before.volumes;
  }

  /** Each strategy within its share; then, those that free most per byte first, with whatever is left. */
  spend(): void {
    for (const spilling of [false, true]) for (const proposer of this.#proposers) while (this.#one(proposer, spilling));
  }

  /**
   * What was taken out of donors that are not empty yet counts too: it is gained when they are. Else L1 would go far
   * beyond the target.
   */
  get #atTarget(): boolean {
    return this.#wantedBytes <= 0;
  }

  /** To be freed until the target is reached. */
  get #wantedBytes(): number {
    return this.#capacityBytes - this.#begunBytes - this.#context.settings.targetOverhead * this.#before.liveBytes;
  }

  #one(proposer: Proposer, spilling: boolean): boolean {
    if (this.#atTarget) return false;
    const { strategy } = proposer;
    const pays = (draft: Draft): boolean =>
      this.#context.settings.objective !== 'money' || draft.savedDollars > draft.dollars;
    const draft = proposer.propose((candidate) => {
      if (!pays(candidate)) this.#unpaid = true;
      return pays(candidate) && this.#ledger.affords(strategy, spendingOf(candidate.work, candidate.dollars), spilling);
    }, this.#wantedBytes);
    if (draft === undefined) return false;
    this.#ledger.charge(strategy, spendingOf(draft.work, draft.dollars));
    const number = this.#runs.length + 1;
    this.#runs.push({ name: `${strategy}-${String(number).padStart(4, '0')}`, ...draft });
    this.#capacityBytes -= (draft.freedVolumes - draft.newVolumes) * draft.capacityBytes;
    this.#volumes -= draft.freedVolumes - draft.newVolumes;
    this.#saved += draft.savedDollars;
    for (const { takeBytes, liveBytes } of draft.sources) if (takeBytes < liveBytes) this.#begunBytes += takeBytes;
    return true;
  }

  /** Gives every volume that was a candidate its last word. */
  explain(): void {
    const { verdicts, settings, view } = this.#context;
    const planned = verdictCode('planned');
    const crowded = verdictCode('crowded');
    for (const proposer of this.#proposers) {
      for (const group of proposer.groups) {
        const why = proposer.leftover({ group });
        const code = this.#leftover(why);
        const mayCrowd = proposer.strategy === 'l1' && why === 'unfit' && !this.#atTarget;
        for (let place = 0; place < group.order.length; place++) {
          const i = group.order[place] as number;
          const isCrowded = mayCrowd && (view.roomBytes[i] as number) <= 0;
          verdicts[i] = group.used[place] === 1 ? planned : isCrowded ? crowded : code;
        }
      }
    }
    const unasked = verdictCode('unasked');
    const asked = new Uint8Array(256).fill(1);
    for (const strategy of STRATEGIES) if (!settings.strategies.includes(strategy)) asked[verdictCode(strategy)] = 0;
    for (let i = 0; i < verdicts.length; i++) if (asked[verdicts[i] as number] === 0) verdicts[i] = unasked;
  }

  #leftover(why: Verdict): number {
    return verdictCode(this.#atTarget ? 'target' : why === 'budget' && this.#unpaid ? 'unpaid' : why);
  }

  figures(merges: PlannedMerges | null) {
    const { volumes, liveBytes, capacityBytes } = this.#before;
    const overhead = (bytes: number): number => (liveBytes > 0 ? roundRatio(bytes / liveBytes) : 1);
    const spentBy = (strategy: Strategy) => {
      const spent = this.#ledger.spent(strategy);
      return { ...spent, dollars: roundDollars(spent.dollars) };
    };
    return {
      before: { volumes, liveBytes, capacityBytes, overhead: overhead(capacityBytes) },
      after: {
        volumes: Math.ceil(this.#volumes - 1e-6),
        liveBytes,
        capacityBytes: Math.round(this.#capacityBytes),
        overhead: overhead(this.#capacityBytes),
      },
      merges,
      runs: this.#runs,
      spent: { l1: spentBy('l1'), l2: spentBy('l2'), l3: spentBy('l3') },
      budgetUsed: roundRatio(this.#ledger.used),
      savedDollars: roundDollars(this.#saved),
    };
  }
}

function lettersOf(verdicts: Uint8Array): string {
  const letters = new Uint8Array(VERDICT_NAMES.map((name) => VERDICTS[name].letter.charCodeAt(0)));
  const out = Buffer.alloc(verdicts.length);
  for (let i = 0; i < verdicts.length; i++) out[i] = letters[verdicts[i] as number] as number;
  return out.toString('latin1');
}
