// The figures that a page shows and is told of while it is open: the same words both times.
import type { Status } from '../../engine/status/status.ts';
import { bytesText, countOf, countText } from '../../foundation/figures.ts';
import { type Html, html } from './html.ts';

export interface LiveFigures {
  readonly live: string;
  readonly stored: string;
  readonly overhead: string;
  readonly redundancy: string;
  readonly repair: string;
  readonly trash: string;
  readonly volumes: string;
  readonly queue: string;
}

export function liveFigures(status: Status): LiveFigures {
  const { redundancy, keeping, trash, overhead, replicationFactor, compaction } = status;
  return {
    live: bytesText(status.liveBytes),
    stored: timesText(replicationFactor),
    overhead: timesText(overhead.sealed.allocated),
    redundancy: redundancyWord(status),
    repair: keeping === undefined ? '–' : countText(keeping.repair.columns),
    trash: bytesText(trash.bytes),
    volumes: countOf(redundancy.volumes, 'volume'),
    queue: compaction?.queue == null ? '–' : countText(compaction.queue.ready + compaction.queue.inFlight),
  };
}

const timesText = (ratio: number | null): string => (ratio === null ? '–' : `${ratio.toFixed(2)} ×`);

function redundancyWord({ redundancy: { volumes, full, lost } }: Status): string {
  if (lost > 0) return `${countText(lost)} lost`;
  if (volumes === 0) return 'empty';
  return full === volumes ? 'full' : `${countText(volumes - full)} reduced`;
}

/** One that changes while its page is open. */
export const live = (figures: LiveFigures, name: keyof LiveFigures): Html =>
  html`<span data-live="${name}">${figures[name]}</span>`;
