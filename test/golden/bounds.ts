import { fleetOf, indexOfVolume, sealedTotals } from '../../lib/compaction/facts/fleet.ts';
import { mergeSettingsFor } from '../../lib/compaction/facts/merge-settings.ts';
import { checkThreshold, PLAN_SETTINGS, planSettingsOf } from '../../lib/compaction/facts/plan-settings.ts';
import { remnantViewOf } from '../../lib/compaction/facts/remnants.ts';
import { BUDGET_LINES, budgetsOf } from '../../lib/compaction/plan/budget.ts';
import { OPERATING_NAMES, parseOperating } from '../../lib/compaction/plan/operating-settings.ts';
import { THRESHOLD_SETTINGS, thresholdSettingsOf } from '../../lib/compaction/threshold/law.ts';
import { isPocketfulError } from '../../lib/foundation/errors.ts';
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
import { coalesce } from '../../lib/volume/read/coalesce.ts';
import { volumeName, volumeOf } from '../compaction/fleets.ts';
import { textOf } from './seeded-rows.ts';

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

export const boundLines = (): readonly string[] => [...refusedLines(), ...nameLines()];
