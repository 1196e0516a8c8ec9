// What `get` makes of objects on a real file system: holes, exact times, names that are taken, and file systems that can do less.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  closeSync,
  ftruncateSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OpenBody } from '../../lib/client/face.ts';
import { ExactTimes } from '../../lib/client/files/exact-times.ts';
import { fileSystem } from '../../lib/client/files/file-system.ts';
import { fileToPut } from '../../lib/client/files/read-file.ts';
import { FileWriter } from '../../lib/client/files/write-file.ts';
import { runsOfData } from '../../lib/client/files/write-sparsely.ts';
import { WRITER_TAG } from '../../lib/drive/writer-tag.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

function object(
  content: Uint8Array | string,
  more: { key?: string; metadata?: string; block?: number } = {},
): OpenBody {
  const bytes = Buffer.from(content as Uint8Array);
  const { key = 'k', metadata, block = bytes.length } = more;
  const blocks: Buffer[] = [];
  for (let i = 0; i < bytes.length; i += block) blocks.push(bytes.subarray(i, i + block));
  const etag =
    blocks.length < 2
      ? sha256(bytes).toString('hex')
      : `${sha256(Buffer.concat(blocks.map(sha256))).toString('hex')}-${blocks.length}`;
  return {
    object: {
      key,
      version: '',
      sizeBytes: bytes.length,
      etag,
      createdAtMs: 0,
      ...(metadata === undefined ? {} : { metadata }),
    },
    body: (async function* () {
      yield* blocks;
    })(),
  };
}

async function write(path: string, opened: OpenBody, overwrite = false) {
  const writer = new FileWriter({ overwrite });
  try {
    return await writer.write(path, opened);
  } finally {
    await writer.end();
  }
}

describe('a file that comes back', () => {
  it('keeps its holes', async () => {
    const fd = openSync(at('holes'), 'w');
    writeSync(fd, 'begin');
    writeSync(fd, 'middle', 9_000_003);
    ftruncateSync(fd, 40_000_000);
    closeSync(fd);
    const put = fileToPut('holes', at('holes'), lstatSync(at('holes'), { bigint: true }));
    const { object: info } = object('');
    const written = await write(at('holes.back'), {
      object: { ...info, sizeBytes: 40_000_000, metadata: put.metadata as string },
      body: put.body(),
    });
    expect(written.bytes).toBe(40_000_000);
    const [before, after] = [lstatSync(at('holes')), lstatSync(at('holes.back'))];
    expect([after.size, after.blocks]).toEqual([before.size, before.blocks]);
    expect(readFileSync(at('holes.back')).equals(readFileSync(at('holes')))).toBe(true);
  });

  it('has every byte, however zeros lie and however the body is cut', () => {
    const piece = fc.tuple(fc.constantFrom(0, 1), fc.integer({ min: 1, max: 9_000 }));
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), fc.integer({ min: 0, max: 5_000 }), (pieces, offset) => {
        const bytes = Buffer.concat(pieces.map(([value, length]) => Buffer.alloc(length, value)));
        const copy = Buffer.alloc(bytes.length);
        let covered = 0;
        for (const { start, end } of runsOfData(bytes, offset)) {
          expect(start).toBeGreaterThanOrEqual(covered);
          expect(end).toBeGreaterThan(start);
          bytes.copy(copy, start, start, end);
          covered = end;
        }
        expect(copy.equals(bytes)).toBe(true);
      }),
    );
  });

  const TIMES = ['2020-01-01T00:00:00.123456789Z', '1969-12-31T23:59:58.000000001Z', '1933-03-03T03:03:03Z'];

  it('has its time to the nanosecond, before 1970 too', async () => {
    for (const [i, time] of TIMES.entries()) {
      const [from, to] = [at(`time-${i}`), at(`time-${i}.back`)];
      writeFileSync(from, 'x');
      execFileSync('touch', ['-d', time, from]);
      const { metadata } = fileToPut('x', from, lstatSync(from, { bigint: true }));
      await write(to, object('x', { metadata: metadata as string }));
      expect(lstatSync(to, { bigint: true }).mtimeNs, time).toBe(lstatSync(from, { bigint: true }).mtimeNs);
    }
  });

  it('has it where there is touch and no perl; where there is neither the file is named', async () => {
    const touch = execFileSync('/bin/sh', ['-c', 'command -v touch'], { encoding: 'utf8' }).trim();
    const files = TIMES.map((time, i) => {
      writeFileSync(at(`late-${i}`), 'x');
      execFileSync('touch', ['-d', time, at(`late-${i}`)]);
      const { mtimeNs } = lstatSync(at(`late-${i}`), { bigint: true });
      utimesSync(at(`late-${i}`), 1, 1);
      return { path: at(`late-${i}`), changedNs: mtimeNs };
    });
    const path = process.env['PATH'];
    process.env['PATH'] = at('programs');
    try {
      mkdirSync(at('programs'));
      const without = new ExactTimes();
      expect(await without.setAll(files)).toEqual(files);
      await without.end();
      symlinkSync(touch, at('programs/touch'));
      const times = new ExactTimes();
      expect(await times.setAll(files)).toEqual([]);
      await times.end();
      for (const { path: file, changedNs } of files) expect(lstatSync(file, { bigint: true }).mtimeNs).toBe(changedNs);
    } finally {
      process.env['PATH'] = path;
    }
  });

  it('and was stored when only milliseconds were has those', async () => {
    await write(at('old'), object('x', { metadata: '{"mode":384,"mtimeMs":-1500}' }));
    expect([lstatSync(at('old')).mtimeMs, lstatSync(at('old')).mode & 0o777]).toEqual([-1500, 0o600]);
  });
});

describe('a power cut', () => {
  it('finds a name only on a file that is on the disk, and after the end every name', async () => {
    mkdirSync(at('order'));
    const calls: string[] = [];
    const recorded = {
      link: async (existing: string, path: string) => {
        calls.push(`link ${path.slice(folder.length + 1)}`);
        await fileSystem.link(existing, path);
      },
      syncFile: async (file: FileHandle) => {
        calls.push(`sync ${(await file.stat()).size} bytes`);
        await file.sync();
      },
      syncFolder: async (path: string) => {
        calls.push(`sync ${path.slice(folder.length + 1)}`);
      },
    };
    const writer = new FileWriter({ overwrite: false, fileSystem: recorded });
    for (const key of ['a/one', 'a/deep/two']) await writer.writeBelow(at('order'), object('bytes', { key }));
    expect(calls).toEqual(['sync 5 bytes', 'link order/a/one', 'sync 5 bytes', 'link order/a/deep/two']);
    calls.length = 0;
    await writer.end();
    expect(calls.sort()).toEqual(['sync order', 'sync order/a', 'sync order/a/deep']);
  });
});

describe('a get that is killed', () => {
  it('leaves a half file that the next one there removes, and nobody else’s', async () => {
    mkdirSync(at('killed'));
    const [pid, , place] = WRITER_TAG.split('-');
    const mine = `.pocketful-${WRITER_TAG}-999999.part`;
    for (const name of [`.pocketful-${pid}-1-${place}-0.part`, mine, '.pocketful-other.part'])
      writeFileSync(at(`killed/${name}`), 'half');
    await write(at('killed/new'), object('x'));
    expect(readdirSync(at('killed')).sort()).toEqual([mine, '.pocketful-other.part', 'new'].sort());
  });
});

describe('a name that is taken', () => {
  const content = Buffer.from('some bytes that are cut into blocks of 1,024'.repeat(99));

  it('by the same content is left alone: of one block, of several, and of blocks whose length cannot be told', async () => {
    for (const block of [content.length, 1024, 1000]) {
      writeFileSync(at('taken'), content);
      utimesSync(at('taken'), 1, 1);
      expect(await write(at('taken'), object(content, { block })), String(block)).toEqual({ bytes: 0, isSame: true });
      expect(lstatSync(at('taken')).mtimeMs).toBe(1000);
      const other = Buffer.from(content);
      other[3000] = 0;
      writeFileSync(at('taken'), other);
      await expect(write(at('taken'), object(content, { block }))).rejects.toMatchObject({ code: 'FILE_EXISTS' });
      expect(readFileSync(at('taken')).equals(other)).toBe(true);
    }
  });

  it('by a part of the object, or for a part of it, is no match', async () => {
    writeFileSync(at('part'), content);
    const writer = new FileWriter({ overwrite: false });
    await expect(writer.write(at('part'), object(content), true)).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    await writer.end();
  });
});

describe('what a file system cannot do', () => {
  const without = (code: string) => ({
    overwrite: false,
    fileSystem: {
      ...fileSystem,
      link: async () => {
        throw Object.assign(new Error(code), { code, syscall: 'link' });
      },
    },
  });

  it('without hard links files are named all the same, and nothing is replaced', async () => {
    mkdirSync(at('fat'));
    for (const code of ['EPERM', 'ENOTSUP', 'ENOSYS']) {
      const writer = new FileWriter(without(code));
      expect(await writer.write(at(`fat/${code}`), object('bytes'))).toMatchObject({ bytes: 5 });
      expect(readFileSync(at(`fat/${code}`), 'utf8')).toBe('bytes');
      await expect(writer.write(at(`fat/${code}`), object('other'))).rejects.toMatchObject({ code: 'FILE_EXISTS' });
      await writer.end();
    }
    expect(readdirSync(at('fat')).sort()).toEqual(['ENOSYS', 'ENOTSUP', 'EPERM']);
    const broken = new FileWriter(without('EIO'));
    await expect(broken.write(at('fat/x'), object('bytes'))).rejects.toMatchObject({ code: 'EIO' });
    expect(readdirSync(at('fat'))).toHaveLength(3);
  });

  it('names it cannot hold are errors that say so', async () => {
    const writer = new FileWriter({ overwrite: true });
    const long = 'n'.repeat(300);
    const below = (key: string): Promise<unknown> => writer.writeBelow(folder, object('x', { key }));
    await expect(below(long)).rejects.toMatchObject({ kind: 'invalid', code: 'NAME_UNFIT' });
    await expect(below(`${long}/a`)).rejects.toMatchObject({ kind: 'invalid', code: 'NAME_UNFIT' });
    await expect(writer.write(at('no/such/file'), object('x'))).rejects.toMatchObject({ code: 'FOLDER_MISSING' });
    await expect(writer.write(at('name/'), object('x'))).rejects.toMatchObject({ code: 'NAME_IS_FOLDER' });
    await below('a/b');
    await expect(below('a')).rejects.toMatchObject({ code: 'NAME_IS_FOLDER' });
    await below('c');
    const beside = expect(below('c/d')).rejects;
    await beside.toMatchObject({ code: 'FILE_EXISTS', message: expect.not.stringContaining('--overwrite') });
    await writer.end();
  });

  it('a file beside a folder of one name, written at once: one of them, and a named error', async () => {
    for (let i = 0; i < 20; i++) {
      const writer = new FileWriter({ overwrite: false });
      const both = await Promise.allSettled([
        writer.writeBelow(folder, object('x', { key: `both-${i}` })),
        writer.writeBelow(folder, object('x', { key: `both-${i}/below` })),
      ]);
      await writer.end();
      const failed = both.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
      expect(failed).toHaveLength(1);
      expect(['NAME_IS_FOLDER', 'FILE_EXISTS']).toContain(failed[0].code);
      expect(failed[0].message).not.toContain('--overwrite');
    }
  });
});
