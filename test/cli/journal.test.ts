// What commands say of the journal of the metadata: what waits at their end, and in status what is damaged.
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { beforeAll, describe, expect, it } from 'vitest';
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

function damage(key: string): void {
  const file = new DatabaseSync(join(cwd, 's/panda.sqlite'));
  const { changes } = file
    .prepare("UPDATE rows SET value = x'ffff00' WHERE partition LIKE 'object/%' AND sort = ?")
    .run(key);
  file.close();
  expect(changes).toBe(1);
}
