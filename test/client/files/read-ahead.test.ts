// Files read whole by threads: what they vouch for is exactly what is there; all else is read the ordinary way.
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { FileToPut } from '../../../lib/client/files/changed-files.ts';
import { type FileReaders, type FileToRead, ThreadFileReaders } from '../../../lib/client/files/file-readers.ts';
import { readAhead } from '../../../lib/client/files/read-ahead.ts';
import { fileToPut } from '../../../lib/client/files/read-file.ts';
import { markAt, packMarks } from '../../../lib/client/files/same-file.ts';
import { inTurn } from '../../../lib/foundation/chained.ts';
import { systemClock } from '../../../lib/foundation/clock.ts';
import { READ_AHEAD_BATCH_FILES, READ_AHEAD_BATCHES, READ_WHOLE_BYTES_MAX } from '../../../lib/limits/engine.ts';
import { temporaryFolder } from '../../cli/temporary-folder.ts';

const folder = temporaryFolder();
const readers = new ThreadFileReaders();
afterAll(() => readers.close());

let files = 0;
function written(bytes: string | Buffer): string {
  const path = join(folder, `file-${files++}`);
  fs.writeFileSync(path, bytes);
  return path;
}

function found(path: string): FileToRead {
  const { ino, dev, size, mtimeNs, ctimeNs } = fs.lstatSync(path, { bigint: true });
  return { path, ino, dev, size, mtimeNs, ctimeNs };
}

function toPut(path: string): FileToPut {
  const stats = fs.lstatSync(path, { bigint: true });
  return { name: path, path, stats, foundAtMs: 0, request: fileToPut(path, path, stats) };
}

const hex = (bytes: string): string => createHash('sha256').update(bytes).digest('hex');

describe('a batch', () => {
  it('has bytes and hash of each file that is what was found, and nothing of the others', async () => {
    const cases: [string, FileToRead, string | undefined][] = [];
    const add = (what: string, file: FileToRead, bytes: string | undefined): unknown => cases.push([what, file, bytes]);
    add('whole', found(written('whole')), 'whole');
    add('empty', found(written('')), '');
    const grown = found(written('a'));
    fs.appendFileSync(grown.path, 'b');
    add('grown', grown, undefined);
    const rewritten = found(written('old'));
    const { atime, mtime } = fs.statSync(rewritten.path);
    fs.writeFileSync(rewritten.path, 'new');
    fs.utimesSync(rewritten.path, atime, mtime);
    add('rewritten, its time set back', rewritten, undefined);
    const gone = found(written('gone'));
    fs.rmSync(gone.path);
    add('gone', gone, undefined);
    const link = join(folder, 'link');
    const target = found(written('target'));
    fs.symlinkSync(target.path, link);
    add('a symlink by now', { ...target, path: link }, undefined);
    add('a directory by now', { ...target, path: folder }, undefined);
    add('says it is empty', found('/proc/cpuinfo'), undefined);
    add('after all of these', found(written('after')), 'after');
    const { files: answer } = await readers.read(cases.map(([, file]) => file));
    expect(cases.map(([what], i) => [what, answer[i] && Buffer.from(answer[i].bytes).toString()])).toEqual(
      cases.map(([what, , bytes]) => [what, bytes]),
    );
    expect(answer[0]?.sha256).toBe(hex('whole'));
  });

  it('is nothing once the threads are gone', async () => {
    const own = new ThreadFileReaders();
    const reading = own.read([found(written('bytes'))]);
    await own.close();
    expect((await reading).files).toEqual([undefined]);
  });
});

it('marks of files are the same after the way to a thread', () => {
  const marks = [
    { ino: 2n ** 64n - 1n, dev: 2n ** 63n, size: 0n, mtimeNs: -1n, ctimeNs: -(2n ** 62n) },
    { ino: 1n, dev: 2n, size: 3n, mtimeNs: 4n, ctimeNs: 5n },
  ];
  const packed = packMarks(marks);
  expect(marks.map((_, i) => markAt(packed, i))).toEqual(marks);
});

describe('ahead', () => {
  it('small files come with their bytes, in order, large and last ones without, and all are verified', async () => {
    const count = READ_AHEAD_BATCH_FILES * 2 + 10;
    const paths = Array.from({ length: count }, (_, i) =>
      written(i === 3 ? Buffer.alloc(READ_WHOLE_BYTES_MAX + 1) : i === 4 ? keys : `bytes ${i}`),
    );
    const vanishes = paths[5] as string;
    const before = paths.map(toPut);
    fs.rmSync(vanishes);
    const came: string[] = [];
    const whole: boolean[] = [];
    const cut = each([before.slice(0, 7), before.slice(7)]);
    for await (const { path, request } of inTurn(readAhead(cut, readers, systemClock))) {
      came.push(path);
      const body = await request.whole?.(READ_WHOLE_BYTES_MAX);
      whole.push(body !== undefined);
      if (body !== undefined) expect(Buffer.from(body.bytes)).toEqual(fs.readFileSync(path));
      if (path === vanishes) await expect(request.verify?.()).rejects.toMatchObject({ code: 'FILE_MISSING' });
    }
    expect(came).toEqual(paths);
    expect(whole).toEqual(paths.map((_, i) => i < READ_AHEAD_BATCH_FILES * 2 && ![3, 4, 5].includes(i)));
  });

  it('bytes of a file are there once, and memory is given back when all of a batch have let go of it', async () => {
    const paths = Array.from({ length: READ_AHEAD_BATCH_FILES }, (_, i) => written(`file ${i}`));
    let freed = 0;
    const told: FileReaders = {
      read: async (batch) => ({
        ...(await readers.read(batch)),
        free: () => {
          freed += 1;
        },
      }),
      close: async () => {},
    };
    const all = await Array.fromAsync(inTurn(readAhead(each([paths.map(toPut)]), told, systemClock)));
    for (const [i, { request }] of all.entries()) {
      const body = await request.whole?.(READ_WHOLE_BYTES_MAX);
      expect(Buffer.from(body?.bytes ?? []).toString()).toBe(`file ${i}`);
      expect(await request.whole?.(READ_WHOLE_BYTES_MAX)).toBeUndefined();
      expect(freed).toBe(0);
      body?.free?.();
      body?.free?.();
    }
    expect(freed).toBe(1);
  });

  it('what is longer than a block is verified as what reads it says', async () => {
    const paths = Array.from({ length: READ_AHEAD_BATCH_FILES }, () => written('four'));
    const [first] = await Array.fromAsync(inTurn(readAhead(each([paths.map(toPut)]), readers, systemClock)));
    expect(await first?.request.whole?.(3)).toBeUndefined();
    fs.appendFileSync(first?.path as string, 'more');
    await expect(first?.request.verify?.()).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  });

  it('no more is read than a few batches', async () => {
    const path = written('bytes');
    let asked = 0;
    const counting: FileReaders = {
      read: async (batch) => {
        asked += 1;
        return { files: batch.map(() => undefined), free: () => {} };
      },
      close: async () => {},
    };
    const many = readAhead(
      each(Array.from({ length: 20 }, () => Array.from({ length: READ_AHEAD_BATCH_FILES }, () => toPut(path)))),
      counting,
      // Long after the file was written: what has just been is waited for.
      { ...systemClock, nowMs: () => systemClock.nowMs() + 60_000 },
    );
    await many.next();
    expect(asked).toBe(READ_AHEAD_BATCHES + 1);
    await many.return(undefined);
  });
});

/** What the file of keys begins with. */
const keys = `${JSON.stringify({ format: 'pocketful-keys', formatVersion: 1 }, undefined, 2)}\n`;

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
