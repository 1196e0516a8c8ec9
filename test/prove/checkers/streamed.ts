// If a stage's table were lost now, and drives with it: what the others give back has of each row an image that it had once, and none older than the
// last that was acknowledged; and no key that was destroyed is needed for it.
import type { SeededRandomness } from '../../../lib/foundation/randomness.ts';
import type { ShippedTo } from '../../../lib/panda/journal-source.ts';
import type { Row } from '../../../lib/panda/panda.ts';
import { encodeAttributes } from '../../../lib/panda/row-encoding.ts';
import { cursorKey, shippingFromRow } from '../../../lib/panda/rows/journal-rows.ts';
import { keyText } from '../../../lib/panda/sort-order.ts';
import type { SimWorld } from '../actors/sim-world.ts';
import type { CommitLog } from '../journal/commit-log.ts';
import type { TableStream } from '../journal/table-stream.ts';
import { givenBack } from './drives-left.ts';
import { Violation } from './violation.ts';

/** Nothing, as long as nothing was acknowledged. */
export async function expectAcknowledged(world: SimWorld, random: SeededRandomness): Promise<void> {
  const { stream, commits } = world;
  const acknowledged = stream?.acknowledged();
  const cursor = await stageCursor(world);
  if (stream === undefined || commits === undefined || acknowledged === undefined || cursor === undefined) return;
  // As of now, whatever happens while it is read.
  const images = commits.images();
  const { rows, reached } = await givenBack(world, cursor, random);
  if (reached.point.sequence < cursor.sequence)
    throw new Violation('wrong', `the drives lead to ${reached.point.sequence}, and ${cursor.sequence} was shipped`);
  expectNothingLost(rows.snapshot(), images, stream, acknowledged);
  world.coverage.point('stream', 'looked at');
}

export async function stageCursor({ server }: SimWorld): Promise<ShippedTo | undefined> {
  const row = await server.rows.get(cursorKey);
  return row === undefined ? undefined : shippingFromRow(row).cursor;
}

const textOf = (attributes: Row['attributes'] | undefined): string | undefined =>
  attributes === undefined ? undefined : encodeAttributes(attributes);

/** Rows of a stage are of no one moment: each for itself is none that never was, nor one from before what was acknowledged. */
function expectNothingLost(
  found: readonly Row[],
  images: ReturnType<CommitLog['images']>,
  stream: TableStream,
  acknowledged: ReadonlyMap<string, number>,
): void {
  const restored = new Map(found.map((row) => [keyText(row), row]));
  for (const [key, row] of restored) if (!images.has(key)) throw wrong(row, 'is there, and never was');
  for (const [key, all] of images) {
    const [first] = all;
    if (first === undefined || stream.isUnshipped(first)) continue;
    const from = acknowledged.get(key) ?? 0;
    const is = textOf(restored.get(key)?.attributes);
    const fits = all.findLastIndex(({ attributes }) => textOf(attributes) === is);
    // What was never there before its first image was not there.
    const since = fits >= 0 ? (all[fits]?.sequence as number) : is === undefined ? 0 : undefined;
    if (since === undefined) throw wrong(first, 'is what it never was');
    if (since < from) throw wrong(first, `is as of COMMIT ${since}, and that of ${from} was acknowledged`);
  }
}

const wrong = ({ partition, sort }: Pick<Row, 'partition' | 'sort'>, what: string): Violation =>
  new Violation('wrong', `restored from a stage, row ${partition}|${sort} ${what}`);
