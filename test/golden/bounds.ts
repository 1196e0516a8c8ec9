// What is taken and what is refused, at every bound and beside it; and figures that are reckoned from few numbers.
import { sparsestFirst } from '../../lib/compaction/do/drain.ts';
import { hostRoomBytes } from '../../lib/compaction/facts/crowded.ts';
import { deleteRatesOf } from '../../lib/compaction/facts/delete-rates.ts';
import { fleetOf, indexOfVolume, sealedTotals } from '../../lib/compaction/facts/fleet.ts';
import { learn } from '../../lib/compaction/facts/measured-rates.ts';
import { mergeSettingsFor } from '../../lib/compaction/facts/merge-settings.ts';
import { checkThreshold, PLAN_SETTINGS, planSettingsOf } from '../../lib/compaction/facts/plan-settings.ts';
import { remnantViewOf } from '../../lib/compaction/facts/remnants.ts';
import {
  BUDGET_LINES,
  budgetsLeft,
  budgetsOf,
  budgetUsed,
  type Spending,
  subtractSpending,
} from '../../lib/compaction/plan/budget.ts';
import {
  budgetsFor,
  derivedRates,
  OPERATING_NAMES,
  parseOperating,
  runsAtOnce,
} from '../../lib/compaction/plan/operating-settings.ts';
import {
  stepNaively,
  stepThreshold,
  THRESHOLD_SETTINGS,
  type ThresholdState,
  thresholdSettingsOf,
  thresholdStart,
} from '../../lib/compaction/threshold/law.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { isPocketfulError } from '../../lib/foundation/errors.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { blockAt, partAt, partsOf } from '../../lib/frontend/compose/block-layout.ts';
import { cutBlocks } from '../../lib/frontend/cut-blocks.ts';
import {
  afterPrefix,
  checkKey,
  checkMetadata,
  checkNamespace,
  checkPathKey,
  checkSystem,
  shown,
} from '../../lib/frontend/object-keys.ts';
import { OBJECT_KEY_BYTES_MAX } from '../../lib/limits/frontend.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { worstLosses } from '../../lib/volume/check/worst-loss.ts';
import { coalesce } from '../../lib/volume/read/coalesce.ts';
import { shapedFills, volumeName, volumeOf } from '../compaction/fleets.ts';
import { SeededRows, textOf } from './seeded-rows.ts';

function told(what: () => unknown): string {
  try {
    return textOf(what()) ?? 'taken';
  } catch (error) {
    if (isPocketfulError(error)) return `${error.kind} ${error.code}: ${error.message}`;
    return `${(error as Error).constructor.name}: ${(error as Error).message}`;
  }
}

const VALUES = [-1, 0, 0.05, 0.1, 0.5, 0.9, 1, 1.5, 2, 8, 10, 4096, 1e7, null, 'x', undefined];

/** One line a setting: which of the values it takes, and what the first refusal says. */
function settingLines(
  name: string,
  names: readonly string[],
  parse: (changes: Record<string, unknown>) => unknown,
): string[] {
  return names.map((one) => {
    const answers = VALUES.map((value) => told(() => void parse({ [one]: value })));
    const taken = VALUES.filter((_, i) => answers[i] === 'taken');
    const refusals = [...new Set(answers.filter((answer) => answer !== 'taken'))];
    return `${name} ${one}: takes ${textOf(taken.map(String))}; ${refusals.join(' | ')}`;
  });
}

function refusedLines(): string[] {
  const volume = { liveBytes: 10, usedBytes: 20, capacityBytes: 30 };
  const wrong = [
    { liveBytes: -1 },
    { liveBytes: 0 },
    { liveBytes: 20 },
    { liveBytes: 21 },
    { usedBytes: 30 },
    { usedBytes: 31 },
    { capacityBytes: 0, usedBytes: 0, liveBytes: 0 },
    { capacityBytes: Number.MAX_SAFE_INTEGER - 1 },
    { capacityBytes: Number.MAX_SAFE_INTEGER },
    { liveBytes: Number.NaN },
  ];
  const lines = wrong.map(
    (changes) =>
      `fleet ${textOf(changes)}: ${told(() => void fleetOf('s', 'c', [volumeOf(1, 0, { ...volume, ...changes })]))}`,
  );
  for (const ids of [
    [1, 1, 2],
    [1, 2, 2],
    [3, 1, 2],
    [1, 2, 1],
  ])
    lines.push(
      `fleet of ${ids}: ${told(
        () =>
          fleetOf(
            's',
            'c',
            ids.map((n) => volumeOf(n, 0.5)),
          ).ids,
      )}`,
    );
  const view = fleetOf(
    's',
    'c',
    [2, 4, 6, 8].map((n) =>
      volumeOf(n, n / 10, {
        state: n === 6 ? 'leased' : n === 8 ? 'open' : 'sealed',
        codec: n === 2 ? 'xor-2-1' : 'rs-6-3',
      }),
    ),
  );
  lines.push(
    `index ${[1, 2, 3, 4, 5, 6, 7, 8, 9].map((n) => indexOfVolume(view, volumeName(n)))}, totals ${textOf(sealedTotals(view))} ${textOf(sealedTotals(fleetOf('s', 'c', [])))}`,
  );
  const home = { id: 'a', generation: 1, state: 'sealed' as const, bucketCount: 1, ageMs: -5 };
  for (const [liveBytes, usedBytes, slots] of [
    [0, 0, 0],
    [1, 1, 0],
    [-1, 1, 1],
    [2, 1, 1],
    [1, 2, -1],
    [1, 4, 1],
    [3, 4, 10],
    [0, 4, 10],
  ] as const)
    lines.push(
      `remnant ${liveBytes} ${usedBytes} ${slots}: ${told(
        () =>
          remnantViewOf(
            's',
            'c',
            [home],
            [
              { id: 'b', volume: 'a', liveBytes, usedBytes, slots },
              { id: 'c', volume: 'z', liveBytes: -1, usedBytes, slots },
            ],
          ).blocks[0],
      )}`,
    );
  lines.push(...settingLines('plan', Object.keys(PLAN_SETTINGS), (changes) => planSettingsOf(changes)));
  lines.push(...settingLines('threshold', Object.keys(THRESHOLD_SETTINGS), (changes) => thresholdSettingsOf(changes)));
  lines.push(...settingLines('operating', OPERATING_NAMES, parseOperating));
  lines.push(
    ...settingLines('merge', Object.keys(mergeSettingsFor(settingsOf('personal'))), (changes) =>
      mergeSettingsFor(settingsOf('personal'), changes),
    ),
  );
  lines.push(...settingLines('budget', [...BUDGET_LINES, 'shares'], (changes) => budgetsOf(changes)));
  for (const shares of [
    { l1: 0.4, l2: 0.4, l3: 0.2 },
    { l1: 0.5, l2: 0.4, l3: 0.2 },
    { l1: 0, l2: 0.5, l3: 0.5 },
  ])
    lines.push(`shares ${textOf(shares)}: ${told(() => void budgetsOf({ shares }))}`);
  for (const threshold of [0, 0.009, 0.01, 0.02, 0.05, 0.5, 0.9, 0.95, 0.99, 1, Number.NaN])
    lines.push(`threshold ${threshold}: ${told(() => checkThreshold(threshold))}`);
  const two = [
    { l3UpTo: 0.5, l2UpTo: 0.5 },
    { l3UpTo: 0.2, l2UpTo: 0.9, l1UpTo: 0.9 },
    { l2UpTo: 0.9, l1UpTo: 0.89 },
    { l3UpTo: 0.089 },
    { l3UpTo: 0.09 },
  ];
  for (const changes of two) lines.push(`boundaries ${textOf(changes)}: ${told(() => void planSettingsOf(changes))}`);
  return lines;
}

const points = (text: string): string => [...text].map((one) => one.codePointAt(0)?.toString(16)).join(' ');

function nameLines(): string[] {
  const long = 'é'.repeat(OBJECT_KEY_BYTES_MAX / 2);
  const names = [
    '',
    'a',
    'a/b',
    '/a',
    'a/',
    'a//b',
    '.',
    '..',
    'a/./b',
    'a/../b',
    '...',
    'a\0b',
    '\ud800',
    'ä',
    long,
    `${long}x`,
    'A',
    '+a',
    '++a',
    'a.b-c',
    '-a',
    'x'.repeat(63),
    'x'.repeat(64),
    '\u0007bell',
  ];
  const lines = names.map((name) => {
    const short = textOf(name.slice(0, 12));
    return `name ${short} ${name.length}: ${[checkKey, checkPathKey, checkNamespace].map((check) => told(() => void check(name))).join(' | ')} | ${textOf(shown(name).length)} ${textOf(shown(name).slice(-3))}`;
  });
  for (const prefix of ['', 'a', 'az', 'a\u{10ffff}', '\u{10ffff}', '\ud7ff', 'b\u{10ffff}\u{10ffff}', '\u{1f600}'])
    lines.push(`after ${points(prefix)}: ${points(afterPrefix(prefix) ?? '-')}`);
  for (const bytes of [0, 2048, 2049, 8192, 16_384, 65_536, 65_537])
    lines.push(
      `text of ${bytes}: ${told(() => checkMetadata('m'.repeat(bytes)))} | ${told(() => checkSystem('m'.repeat(bytes)))}`,
    );
  const laid = {
    sizeBytes: 58,
    blockBytes: 10,
    parts: [
      { count: 2, bytes: 15 },
      { count: 1, bytes: 8 },
      { count: 1, bytes: 20 },
    ],
  };
  const plain = { sizeBytes: 25, blockBytes: 10 };
  for (let at = 0; at <= 58; at++)
    lines.push(
      `block at ${at}: ${told(() => blockAt(laid as Parameters<typeof blockAt>[0], at))} ${told(() => blockAt(plain, at))}`,
    );
  lines.push(
    `parts ${[0, 1, 2, 3, 4, 5].map((n) => textOf(partAt(laid as Parameters<typeof partAt>[0], n) ?? 'none')).join(' ')}; ${partsOf(laid as Parameters<typeof partsOf>[0])} ${partsOf({})}`,
  );
  const spans = [
    [0, 5],
    [5, 5],
    [12, 3],
    [30, 2],
    [31, 9],
    [10, 1],
  ].map(([offset = 0, length = 0], i) => ({ offset, length, items: [i] }));
  for (const gap of [0, 1, 2, 15, 16]) lines.push(`coalesced within ${gap}: ${textOf(coalesce(spans, gap))}`);
  return lines;
}

function figureLines(): string[] {
  const lines: string[] = [];
  for (let seed = 1; seed <= 12; seed++) {
    const rows = new SeededRows(new SeededRandomness(seed));
    const volumes = rows.list(9, (n) => ({ liveBytes: rows.below(9) * 10, volume: { id: volumeName((n * 5) % 9) } }));
    for (const options of [
      {},
      { fillPermilleMax: 300 },
      { sourcesMax: 3 },
      { sourcesMax: 0 },
      { fillPermilleMax: 1000, targetOverhead: 1.2 },
      { fillPermilleMax: 1000, targetOverhead: 2 },
    ])
      lines.push(
        `sparsest ${seed} ${textOf(options)}: ${sparsestFirst(volumes, 100, options)
          .map(({ volume, liveBytes }) => `${Number.parseInt(volume.id, 16)}:${liveBytes}`)
          .join(' ')}`,
      );
    const volume = rows.volume({ codec: rows.pick(['rs-6-3', 'xor-2-1']), directoriesPending: seed % 5 === 0 });
    const notes = new Map(
      rows.once(2) ? [[volume.id as string, { generation: volume.generation + rows.below(2), liveBytes: 1000 }]] : [],
    );
    for (const live of [0, 949, 950, 951, 1000, 300_000])
      lines.push(`room ${seed} ${live}: ${hostRoomBytes({ extentBytes: 65_536 }, volume, live, notes)}`);
    const drives = rows.list(12, (drive) => ({
      drive,
      label: `d${drive}`,
      domain: rows.once(3) ? undefined : `m${drive % 4}`,
    }));
    const held = rows.list(5, () => rows.volume({ codec: rows.pick(['rs-6-3', 'xor-2-1', 'replica-4']) }, 12));
    lines.push(
      `loss ${seed}: ${textOf(worstLosses({ volumes: held, damage: [], drives, gone: new Set(rows.once(2) ? [3] : []) }))}`,
    );
    const fleet = (part: number) =>
      fleetOf(
        's',
        'c',
        [...shapedFills(new SeededRandomness(seed), 'mixed', 60)].map((fill, n) =>
          volumeOf(n + 1, fill * part, {
            ageMs: ((n * 3) % 90) * DAY_MS,
            generation: n % 17 === 0 && part < 1 ? 2 : 1,
          }),
        ),
      );
    const days = [0, 0.5, 1, 9][seed % 4] as number;
    lines.push(
      `rates ${seed}: ${textOf(deleteRatesOf(fleet(1), fleet(0.9), days * DAY_MS, [9, 9, 9, 9], seed))} ${textOf(deleteRatesOf(fleet(0.9), fleet(1), DAY_MS, [9, 9, 9, 9]))}`,
    );
    const first = learn(undefined, fleet(1), 0);
    const second = learn({ atMs: 0, learnt: first }, fleet(0.9), DAY_MS);
    const { sample, ...third } = learn({ atMs: DAY_MS, learnt: second }, fleet(0.8), 4 * DAY_MS);
    lines.push(
      `learnt ${seed}: ${textOf([first.perDay, second.perDay, second.daysMeasured, third])} ${sample.length} ${textOf(sample.slice(0, 2))}`,
    );
  }
  for (const [name, use] of [
    ['busy', 0.98],
    ['between', 0.93],
    ['idle', 0.5],
  ] as const)
    for (const slope of [-0.01, -0.0005, 0, 0.0005, 0.01]) {
      let state: ThresholdState = thresholdStart(0.25);
      const moves: string[] = [];
      for (let day = 0; day < 12; day++) {
        const step = stepThreshold(
          state,
          {
            nowMs: day * DAY_MS * (day === 5 ? 0.5 : 1),
            overhead: 1.3 + slope * day,
            budgetUsed: use,
            sealedVolumes: day === 7 ? 3 : 20,
          },
          THRESHOLD_SETTINGS,
        );
        state = step.state;
        moves.push(`${step.moved} ${step.reason.code}`);
      }
      lines.push(`threshold ${name} ${slope}: ${textOf(state)} ${moves.join(', ')}`);
    }
  for (const threshold of [0.02, 0.5, 0.94])
    lines.push(
      `naively ${threshold}: ${stepNaively(threshold, true, 0.05, 1)} ${stepNaively(threshold, false, 0.05, 2)}`,
    );
  const GIB = 1024 ** 3;
  for (const live of [0, 639 * GIB, 640 * GIB, 999 * GIB, 1000 * GIB, 9999 * GIB])
    lines.push(`derived ${live}: ${textOf(derivedRates(live))} ${textOf(budgetsFor({}, live, DAY_MS))}`);
  const operating = {
    bytesReadPerDay: 5,
    dollarsPerMonth: null,
    metadataWritesPerSecond: 2,
    l1Share: 0.5,
    l2Share: 0.3,
    l3Share: 0.2,
  };
  lines.push(
    `budgets ${textOf(budgetsFor(operating, 5, DAY_MS / 2))} ${textOf(budgetsFor(operating, 5, DAY_MS, budgetsOf({ requests: 8, dollars: 2 })))} ${textOf(budgetsFor({}, 5, DAY_MS, budgetsOf()))}`,
  );
  for (const bytesWritten of [null, 1, 1000, 1001, 3500, 9000])
    lines.push(
      `at once ${bytesWritten}: ${[{}, { runsAtOnce: 7 }].map((set) => runsAtOnce(set, budgetsOf({ bytesWritten }), 1000, { moveBytesPerSecond: 1000, atMost: 4 }))}`,
    );
  const spent = Object.fromEntries(BUDGET_LINES.map((line, i) => [line, i + 1])) as Spending;
  for (const budgets of [
    budgetsOf(),
    budgetsOf({ bytesRead: 1 }),
    budgetsOf({ bytesRead: 1.5, dollars: 12 }),
    budgetsOf({ computeMs: 4 }),
  ])
    lines.push(
      `left ${textOf(budgetsLeft(budgets, spent) ?? 'nothing')} ${budgetUsed(budgets, spent)} ${textOf(subtractSpending(spent, spent))}`,
    );
  return lines;
}

/** Pieces of many lengths: how many bytes of memory the blocks take, besides what they hold. */
export async function cutLines(): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const pieces of [[], [0], [3], [10], [11], [4, 6], [4, 7], [3, 3, 3], [25], [1, 0, 9, 1], [9, 12, 9]]) {
    let at = 0;
    const bytes = pieces.map((length) => Uint8Array.from({ length }, () => at++));
    async function* source(): AsyncGenerator<Uint8Array> {
      yield* bytes;
    }
    const shown: string[] = [];
    for await (const block of cutBlocks(source, 10)) shown.push(`${block.join('.')}(${block.buffer.byteLength})`);
    const whole: string[] = [];
    for await (const block of cutBlocks(new Uint8Array(Buffer.concat(bytes)), 10)) whole.push(String(block.length));
    lines.push(`cut ${textOf(pieces)}: ${shown.join(' ')}; whole ${whole}`);
  }
  return lines;
}

export const boundLines = (): readonly string[] => [...refusedLines(), ...nameLines(), ...figureLines()];
