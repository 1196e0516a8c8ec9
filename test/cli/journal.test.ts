// What commands say of the journal of the metadata: what waits at their end, and in status what is damaged.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../bin/commands/exit-codes.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { pocketful } from './cli.ts';
import { temporaryFolder } from './temporary-folder.ts';

const cwd = temporaryFolder();
const STORE = ['--store', 'file:s'] as const;
const drives = (): string[] => readdirSync(join(cwd, 's/drives')).map((name) => join(cwd, 's/drives', name, 'journal'));

/** No drive takes what would be shipped. */
function block(): void {
  for (const journal of drives()) {
    rmSync(journal, { recursive: true, force: true });
    writeFileSync(journal, 'in the way');
  }
}

function unblock(): void {
  for (const journal of drives()) rmSync(journal);
}

async function ran(...args: string[]) {
  const done = await pocketful(cwd, [...STORE, ...args]);
  expect(done.code, done.stderr).toBe(0);
  return done;
}

beforeAll(async () => {
  await ran('init', '--preset', 'demo', '--drives', '16');
  for (const name of ['a', 'b']) writeFileSync(join(cwd, name), `content of ${name}`);
  await ran('put', 'a');
});

describe('a command that wrote', () => {
  it('says at its end what waits because too few drives take it, and why; the next one ships it', async () => {
    block();
    const put = await ran('put', 'b');
    expect(put.stderr).toMatch(/^pocketful: \d+ commits? of the metadata wait, on no drive yet: .*JOURNAL_UNSHIPPED/m);
    expect((await ran('ls')).stderr).not.toContain('on no drive yet');
    unblock();
    expect((await ran('rm', 'b')).stderr).not.toContain('on no drive yet');
    const { journal } = JSON.parse((await ran('status', '--json')).stdout);
    expect(journal).toMatchObject({ waiting: { commits: 0, ageMs: null }, damagedRows: [] });
  });

  it('ships all but a row that was damaged by then, which status names', async () => {
    block();
    await ran('put', 'b');
    damage('b');
    unblock();
    await ran('rm', 'a');
    const { journal } = JSON.parse((await ran('status', '--json')).stdout);
    expect(journal).toMatchObject({ waiting: { commits: 0 }, damagedRows: [expect.stringContaining('"b"')] });
    expect((await ran('status')).stdout).toContain('is on the drives as it was before, if at all');
  });
});

it('gc says when the keys of what it shredded are on no drive', async () => {
  writeFileSync(join(cwd, 'c'), 'content of c');
  await ran('put', 'c');
  await ran('rm', 'c');
  const at = Date.now();
  const gc = JSON.parse((await ran('gc', '--json')).stdout) as { slots: number; keysGoneAtMs: number };
  expect(gc.slots).toBeGreaterThan(0);
  expect(gc.keysGoneAtMs - at).toBeGreaterThanOrEqual(14 * DAY_MS);
  expect((await ran('gc')).stderr).not.toContain('wrapped keys');
});

it('verify reads every copy of every segment, and writes a damaged one anew', async () => {
  const [path] = drives()
    .filter((one) => existsSync(one))
    .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
    .filter((one) => one.isFile());
  const file = join(path?.parentPath ?? '', path?.name ?? '');
  const bytes = readFileSync(file);
  writeFileSync(file, bytes.subarray(0, -1));
  const torn = await pocketful(cwd, [...STORE, 'verify', 'journal', '--all', '--json']);
  expect(torn.code).toBe(EXIT.degraded);
  const report = JSON.parse(torn.stdout);
  expect(report.journal).toMatchObject({ damaged: 1, replaced: 1, lostSegments: 0, done: true });
  expect(report.findings).toMatchObject([{ check: 'journal', message: expect.stringContaining(path?.name ?? '-') }]);
  const again = await ran('verify', 'journal', '--all');
  expect(again.stdout).toMatch(/^journal: read \d+ copies of segments/m);
});

function damage(key: string): void {
  const file = new DatabaseSync(join(cwd, 's/panda.sqlite'));
  const { changes } = file
    .prepare("UPDATE rows SET value = x'ffff00' WHERE partition LIKE 'object/%' AND sort = ?")
    .run(key);
  file.close();
  expect(changes).toBe(1);
}
