// The last days of a store for people: a line a day, the fills of its volumes as bars.
import type { HistoryDay } from '../../../lib/engine/upkeep/history.ts';
import { bytesText, countText, dollarsText, ratioText, table } from './text.ts';

const BARS = ' ▁▂▃▄▅▆▇█';

export function historyText(days: readonly HistoryDay[]): string {
  if (days.length === 0) return 'nothing was measured yet: a daemon, or the tuner of a stage, does so every hour';
  return table(
    [
      [
        'day',
        'overhead',
        'in a week',
        'fills 0 .. 100 %',
        'ingested',
        'encoded',
        'coded',
        'sealed',
        'fill',
        'reclaimed',
        'rows',
        'on AWS',
      ],
      ...days.map((day) => [
        day.day,
        ratioText(day.overhead),
        day.overheadWeekChange === null
          ? '-'
          : `${day.overheadWeekChange < 0 ? '' : '+'}${day.overheadWeekChange.toFixed(3)}`,
        day.fillHistogram === null ? '-' : `|${barsOf(day.fillHistogram)}|`,
        bytesText(day.ingestedBytes),
        countText(day.encodedVolumes),
        bytesText(day.codedBytes),
        countText(day.sealedVolumes),
        ratioText(day.sealedFill),
        countText(day.reclaimedVolumes),
        countText(day.metadataWrites),
        dollarsText(day.dollars),
      ]),
    ],
    [1, 2, 4, 5, 6, 7, 8, 9, 10, 11],
  );
}

/** A count above none is seen, however few it is. */
function barsOf(counts: readonly number[]): string {
  const most = Math.max(1, ...counts);
  return counts.map((count) => BARS[Math.ceil((count * (BARS.length - 1)) / most)]).join('');
}
