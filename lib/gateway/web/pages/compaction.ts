// Compaction: how full sealed volumes are, what was done in thirty days, and what a plan made now would do and why;
// exactly that plan can be approved.

import { STRATEGIES } from '../../../compaction/facts/plan-settings.ts';
import type { CompactionPlan, PlannedRun } from '../../../compaction/plan/plan.ts';
import { planJson } from '../../../compaction/plan/plan.ts';
import type { CompactionStatus } from '../../../engine/status/compaction-status.ts';
import type { Status } from '../../../engine/status/status.ts';
import { bytesText, countOf, countText, dollarsText, ratioText } from '../../../foundation/figures.ts';
import { WEB_RUNS_MAX } from '../../../limits/web.ts';
import type { GatewayAnswer } from '../../exchange.ts';
import { fillChart } from '../charts.ts';
import { type Content, type Html, html, link } from '../html.ts';
import { badge, card, form, hidden, type Page, table } from '../layout.ts';
import { live, liveFigures } from '../live-figures.ts';
import type { View, WebCall } from '../view.ts';

const CHOICES = ['all', ...STRATEGIES] as const;

export async function compactionPage({ view, query }: WebCall): Promise<Page> {
  const chosen = CHOICES.find((one) => one === query.get('strategy')) ?? 'all';
  const status = await view.status.now();
  const plan = await view.parts.admin.plan(chosen === 'all' ? {} : { strategies: [chosen] });
  if (plan.runs.length > 0) view.plans.set(plan.digest, planJson(plan));
  return {
    title: 'Compaction',
    place: '/ui/plan',
    lead: 'Deletes leave holes in volumes. L1 tops nearly full volumes up, L2 packs half-empty ones, L3 drains what is almost empty.',
    body: html`<div class="pair">${card('Fill of sealed volumes', histogram(status))}${card('Done in 30 days', done(status))}</div>
${card('What it would do now', html`<ul class="choices">${CHOICES.map((one) => html`<li><a href="${link('/ui/plan', { strategy: one })}"${one === chosen ? html` aria-current="true"` : ''}>${one === 'all' ? 'All' : one.toUpperCase()}</a></li>`)}</ul>${preview(view, plan)}`)}`,
  };
}

function histogram({ fillHistogram, compaction }: Status): Html {
  const ranges = compaction?.ranges;
  const bands =
    ranges === undefined
      ? []
      : ([
          ['L3', ranges.l3],
          ['L2', ranges.l2],
          ['L1', ranges.l1],
        ] as const);
  return html`${fillChart(
    fillHistogram,
    bands.filter(([, [from, to]]) => from < to).map(([name, fills]) => ({ name, fills })),
  )}
<p class="soft">How many volumes are how full, over what each strategy owns.${compaction === undefined ? '' : html` A run is worth it from ${(compaction.threshold * 100).toFixed(0)} % dead.`}</p>`;
}

function done(status: Status): Html {
  const { compaction } = status;
  if (compaction === undefined) return html`<p class="none">Not known.</p>`;
  const row = (name: keyof CompactionStatus['strategies']): readonly Content[] => {
    const of = compaction.strategies[name];
    return [
      name === 'merge' ? 'merge' : name.toUpperCase(),
      countText(of.runs),
      countText(of.reclaimed),
      bytesText(of.movedBytes),
      dollarsText(of.dollars),
    ];
  };
  return html`${table(
    'What each strategy did',
    [
      { name: 'Strategy' },
      { name: 'Runs', isNumber: true },
      { name: 'Reclaimed', isNumber: true },
      { name: 'Moved', isNumber: true },
      { name: 'On AWS', isNumber: true },
    ],
    (['l1', 'l2', 'l3', 'merge'] as const).map(row),
  )}<p class="soft">Write amplification ${ratioText(compaction.writeAmplification)}; the least for any policy ${ratioText(compaction.lambertBound)}. Messages of L3 in the queue: ${live(liveFigures(status), 'queue')}.</p>`;
}

function preview(view: View, plan: CompactionPlan): Html {
  const verdicts = Object.entries(plan.legend)
    .map(([letter, text]) => ({ text, count: plan.verdicts.split(letter).length - 1 }))
    .filter(({ count }) => count > 0);
  const counts = html`<details${plan.runs.length === 0 ? html` open` : ''}><summary>What it says of each volume</summary><ul class="lines">${verdicts.map(({ text, count }) => html`<li>${countOf(count, 'volume')}: ${text}</li>`)}</ul></details>`;
  const merges =
    plan.merges === null || plan.merges.buckets.length === 0
      ? ''
      : html`<p>${plan.merges.reason.text} Remnants are merged by upkeep, or by <code>pocketful compact --strategy merge</code>.</p>`;
  if (plan.runs.length === 0)
    return html`<p>${badge('nothing to do', 'good')} No run is worth its cost now.</p>${merges}${counts}`;
  const left = plan.runs.length - WEB_RUNS_MAX;
  return html`<div class="row apart"><p>${countOf(plan.runs.length, 'run')}: overhead ${ratioText(plan.before.overhead)} → <strong>${ratioText(plan.after.overhead)}</strong>, ${countText(plan.before.volumes)} → ${countOf(plan.after.volumes, 'volume')}. Costs and savings in prices of AWS, ${plan.prices.date}.</p>
${form(view, '/ui/plan/run', html`${hidden('digest', plan.digest)}<button class="main">Approve and run ${countOf(plan.runs.length, 'run')}</button>`)}</div>
${merges}${plan.runs.slice(0, WEB_RUNS_MAX).map(runHtml)}${left > 0 ? html`<p class="soft">and ${countOf(left, 'more run')}.</p>` : ''}${counts}`;
}

function runHtml(run: PlannedRun): Html {
  const { name, reason, better, work, dollars, savedDollars, sources, host } = run;
  const volumes = host === null ? sources : [host, ...sources];
  return html`<div class="run"><h3>${name} ${badge(run.strategy.toUpperCase(), 'calm')} ${badge(`frees ${countOf(run.freedVolumes, 'volume')}`, 'good')}</h3>
<p>${reason.text}</p>${better === null ? '' : html`<p>${badge('but', 'warn')} ${better.text}</p>`}
<p class="soft">Reads ${bytesText(work.bytesRead)}, writes ${bytesText(work.bytesWritten)}, ${countText(work.metadataWrites)} metadata rows, ${dollarsText(dollars)}; saves ${dollarsText(savedDollars)}.</p>
<details><summary>${countOf(volumes.length, 'volume')}</summary><ul class="lines">${volumes.slice(0, WEB_RUNS_MAX).map(({ volume, liveBytes }) => html`<li><a class="mono" href="${link('/ui/volume', { id: volume })}">${volume}</a> ${bytesText(liveBytes)} live${volume === host?.volume ? ', host' : ''}</li>`)}${volumes.length > WEB_RUNS_MAX ? html`<li>and ${countText(volumes.length - WEB_RUNS_MAX)} more</li>` : ''}</ul></details></div>`;
}

/** Exactly the plan that was shown. */
export async function runPlan(view: View, sent: URLSearchParams): Promise<GatewayAnswer> {
  const json = view.plans.get(sent.get('digest') ?? '');
  if (json === undefined)
    return view.goTo('/ui/plan', false, 'That plan is not known any more: look at this one, and approve it.');
  const isBegun = view.job.start('Compaction', async ({ tell, signal }) => {
    const report = await view.parts.admin.compact({
      planJson: json,
      signal,
      onProgress: ({ runs, movedBytes }) => tell(`${countOf(runs, 'run')} done, ${bytesText(movedBytes)} moved`),
    });
    const left =
      report.left.length === 0
        ? ''
        : `; ${countOf(report.left.length, 'run')} not begun: ${report.left[0]?.reason.text}`;
    return `${countOf(report.runs.length, 'run')} done, overhead ${ratioText(report.before.allocatedOverhead)} → ${ratioText(report.after.allocatedOverhead)}${left}`;
  });
  return isBegun
    ? view.goTo('/ui/plan', true, 'The plan is being carried out.')
    : view.goTo('/ui/plan', false, 'Something else is under way: approve the plan when it has ended.');
}
