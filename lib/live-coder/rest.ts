// When what is old enough, but makes no full group, is written all the same: pure. As long as it waits, all of it is
// stored in the hot code; once written, a small group stays as long as its longest column is. It goes when waiting
// costs more, as a part of what the whole store takes, than the group loses for being small.
//
// So one put of 300 MB goes as soon as it is old, while a store that gets a little every day writes ever larger groups:
// their number grows as the logarithm of the store, and a volume's places are not used up by splinters.
import { codecShape } from '../codec/shape.ts';
import { REST_COST_PERMILLE_MIN } from '../limits/compaction.ts';
import type { Settings } from '../settings/settings.ts';
import type { Contents } from '../volume/write/waste.ts';
import { groupOverheadBytes } from '../volume/write/write-group.ts';

export function restGoes(
  rest: Contents,
  storeLiveBytes: number,
  { hotCodec, warmCodec }: Pick<Settings, 'hotCodec' | 'warmCodec'>,
): boolean {
  const { liveBytes, liveSlots } = rest;
  if (liveBytes === 0 || liveSlots === 0) return false;
  const hot = factorOf(hotCodec);
  const warm = factorOf(warmCodec);
  const groupBytes = restGroupBytes(rest, warmCodec);
  // Of one record every column of parity is as long as the record: nothing is gained.
  if (groupBytes >= liveBytes * hot) return false;
  const lost = groupBytes / (liveBytes * warm) - 1;
  const waitingCost = ((hot / warm - 1) * liveBytes) / Math.max(liveBytes, storeLiveBytes);
  return waitingCost >= Math.max(lost, REST_COST_PERMILLE_MIN / 1000);
}

const factorOf = (codec: Settings['warmCodec']): number => {
  const { dataColumns, parityColumns } = codecShape(codec);
  return (dataColumns + parityColumns) / dataColumns;
};

/** Estimated: the longest column is half a record longer than the mean, or as long as a record. */
function restGroupBytes({ liveBytes, liveSlots, liveBuckets }: Contents, codec: Settings['warmCodec']): number {
  const { dataColumns, parityColumns } = codecShape(codec);
  const recordBytes = liveBytes / liveSlots;
  const longestBytes = Math.max(recordBytes, liveBytes / dataColumns + recordBytes / 2);
  const besidesBytes = (dataColumns + parityColumns) * groupOverheadBytes(liveSlots, liveBuckets);
  return liveBytes + parityColumns * longestBytes + besidesBytes;
}
