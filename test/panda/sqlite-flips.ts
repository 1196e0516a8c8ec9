// Single flips of bits over a whole metadata file: what is read from it is what was written, or the damage is found.
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isPocketfulError } from '../../lib/foundation/errors.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import type { Row, Write } from '../../lib/panda/panda.ts';
import { checkSqliteFile } from '../../lib/panda/sqlite/sqlite-damage.ts';
import { SqlitePanda } from '../../lib/panda/sqlite/sqlite-panda.ts';
import { keyText } from '../../lib/panda/transaction.ts';

const ROWS = 90;

export interface Flips {
  readonly flips: number;
  /** Nothing of it was to be seen: rows are as they were. */
  readonly harmless: number;
  readonly named: number;
  readonly fileDamaged: number;
  /** Offsets of flips that changed what is read, and that nothing told of. */
  readonly missed: readonly number[];
}

/** Flips one bit of every `step`-th byte, each in a file of its own. */
export async function flipThrough(step: number): Promise<Flips> {
  const folder = mkdtempSync(join(tmpdir(), 'panda-flips-'));
  try {
    const path = join(folder, 'sound.sqlite');
    const rows = await makeFile(path);
    const sound = readFileSync(path);
    const counts = { flips: 0, harmless: 0, named: 0, fileDamaged: 0 };
    const missed: number[] = [];
    const at = join(folder, 'flipped.sqlite');
    for (let offset = 0; offset < sound.length; offset += step) {
      const flipped = Buffer.from(sound);
      flipped[offset] = (flipped[offset] as number) ^ (1 << (offset % 8));
      for (const suffix of ['', '-wal', '-shm', '.damaged']) rmSync(`${at}${suffix}`, { force: true });
      writeFileSync(at, flipped);
      counts.flips += 1;
      const found = await look(at, rows);
      if (found === 'missed') missed.push(offset);
      else counts[found] += 1;
    }
    return { ...counts, missed };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function makeFile(path: string): Promise<ReadonlyMap<string, string>> {
  const randomness = new SeededRandomness(5);
  const writes = Array.from({ length: ROWS }, (_, i): Write => {
    const id = Buffer.from(randomness.bytes(32)).toString('hex');
    const attributes = {
      r: randomness.bytes(16),
      l: 1000 + i,
      h: [id.slice(0, 16), 1, i],
      w: randomness.bytes(60),
      s: 'live',
    };
    return { kind: 'put', partition: `block/${id.slice(0, 2)}`, sort: id, attributes };
  });
  const panda = await SqlitePanda.open(`${path}.made`);
  await panda.transact(writes);
  const rows = new Map<string, string>();
  for await (const page of panda.scan()) for (const row of page) rows.set(keyText(row), textOf(row));
  await panda.close();
  copyFileSync(`${path}.made`, path);
  return rows;
}

const textOf = ({ attributes }: Row): string =>
  JSON.stringify(attributes, (_, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
  );

async function look(path: string, rows: ReadonlyMap<string, string>): Promise<Exclude<keyof Flips, 'flips'>> {
  let isSame = true;
  let seen = 0;
  try {
    const panda = await SqlitePanda.open(path, { create: false });
    try {
      for await (const page of panda.scan())
        for (const row of page) {
          if (row.damaged !== undefined) return 'named';
          seen += 1;
          isSame &&= rows.get(keyText(row)) === textOf(row);
        }
    } finally {
      await panda.close();
    }
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return 'fileDamaged';
  }
  if (isSame && seen === rows.size) return 'harmless';
  return checkSqliteFile(path).length > 0 ? 'fileDamaged' : 'missed';
}
