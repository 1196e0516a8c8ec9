// Files on their way in and out: what changes under the reader, and what a name could do to the folder it is written to.
import {
  appendFileSync,
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { OpenBody } from '../../lib/client/face.ts';
import { fileMetadataOf } from '../../lib/client/files/file-metadata.ts';
import { fileToPut } from '../../lib/client/files/read-file.ts';
import { placesOf } from '../../lib/client/files/store-places.ts';
import { type TreeEntry, walkTree } from '../../lib/client/files/walk-tree.ts';
import { FileWriter } from '../../lib/client/files/write-file.ts';
import { LOOKED_AT_ONCE } from '../../lib/limits/engine.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const found = (name: string) => lstatSync(at(name), { bigint: true });

/** Reads a put's body, calling `meanwhile` after the first piece, and then lets it be verified. */
async function readThrough(name: string, meanwhile: () => void): Promise<number> {
  const put = fileToPut(name, at(name), found(name));
  let bytes = 0;
  for await (const piece of put.body()) {
    if (bytes === 0) meanwhile();
    bytes += piece.byteLength;
  }
  await put.verify?.();
  return bytes;
}

describe('a file that is read', () => {
  const TWO_PIECES = Buffer.alloc(1_500_000, 'a');

  it('and stays as it is', async () => {
    writeFileSync(at('calm'), TWO_PIECES);
    expect(await readThrough('calm', () => {})).toBe(TWO_PIECES.length);
    writeFileSync(at('empty'), '');
    expect(await readThrough('empty', () => {})).toBe(0);
  });

  it('and grows, shrinks, is replaced or vanishes meanwhile is not stored', async () => {
    const meanwhile: [string, () => void, string][] = [
      ['grows', () => appendFileSync(at('grows'), 'b'), 'FILE_CHANGED'],
      ['shrinks', () => writeFileSync(at('shrinks'), 'b'), 'FILE_CHANGED'],
      ['replaced', () => renameSync(at('other'), at('replaced')), 'FILE_CHANGED'],
      ['vanishes', () => rmSync(at('vanishes')), 'FILE_MISSING'],
    ];
    for (const [name, change, code] of meanwhile) {
      writeFileSync(at(name), TWO_PIECES);
      writeFileSync(at('other'), TWO_PIECES);
      await expect(readThrough(name, change), name).rejects.toMatchObject({ code });
    }
  });

  it('and is rewritten in place with its time set back is not stored', async () => {
    writeFileSync(at('rewritten'), TWO_PIECES);
    const { mtime, atime } = lstatSync(at('rewritten'));
    const rewrite = (): void => {
      writeFileSync(at('rewritten'), Buffer.alloc(TWO_PIECES.length, 'b'));
      utimesSync(at('rewritten'), atime, mtime);
    };
    await expect(readThrough('rewritten', rewrite)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  });

  it('is read to its end, whatever its size is said to be', async () => {
    const place = '/proc/self/status';
    if (!existsSync(place)) return;
    const put = fileToPut('x', place, lstatSync(place, { bigint: true }));
    let text = '';
    for await (const piece of put.body()) text += Buffer.from(piece).toString();
    expect(put.sizeBytes).toBe(0);
    expect(text).toMatch(/^Name:[\s\S]+\n$/);
  });

  it('and became something else since it was found is not followed', async () => {
    for (const [name, become] of [
      ['link', () => symlinkSync('calm', at('link'))],
      ['folder', () => mkdirSync(at('folder'))],
      ['gone', () => {}],
    ] as const) {
      writeFileSync(at(name), 'x');
      const put = fileToPut(name, at(name), found(name));
      rmSync(at(name));
      become();
      await expect(put.body()[Symbol.asyncIterator]().next(), name).rejects.toMatchObject({
        code: name === 'gone' ? 'FILE_MISSING' : expect.stringMatching(/FILE_CHANGED|EISDIR/),
      });
    }
  });

  it('keeps its mode and time; what is no metadata of ours says nothing', () => {
    chmodSync(at('calm'), 0o640);
    const { metadata } = fileToPut('calm', at('calm'), found('calm'));
    const { mtimeNs, mtimeMs } = found('calm');
    expect(fileMetadataOf(metadata)).toEqual({
      mode: 0o640,
      mtimeMs: Number(mtimeMs),
      ...(mtimeNs % 1_000_000n === 0n ? {} : { mtimeNs: Number(mtimeNs % 1_000_000n) }),
    });
    for (const odd of [
      undefined,
      '',
      '[1]',
      'null',
      '{"mode":"7","mtimeMs":1.5}',
      '{"mtimeNs":5}',
      '{"type":"text/plain"}',
    ])
      expect(fileMetadataOf(odd)).toEqual({});
    expect(fileMetadataOf('{"mode":16895}')).toEqual({ mode: 0o777 }); // never set-uid or sticky
  });
});

describe('a tree', () => {
  it('is walked in the order of bytes; the store itself is left out', async () => {
    const root = at('tree');
    for (const name of ['b', 'a/z', 'a/own/x', 'a.txt', 'ä']) {
      mkdirSync(join(root, name, '..'), { recursive: true });
      writeFileSync(join(root, name), '');
    }
    const names: string[] = [];
    const isOwn = await placesOf([join(root, 'a/own')]);
    for await (const some of walkTree(root, { isOwn })) names.push(...some.map(({ name }) => name));
    expect(names).toEqual(['a/z', 'a.txt', 'b', 'ä']);
    const many = at('many');
    const expected: string[] = [];
    for (let i = 0; i < 300; i++) {
      const name = `d${Math.floor(i / 90)}/f${String(i).padStart(3, '0')}`;
      mkdirSync(join(many, name, '..'), { recursive: true });
      writeFileSync(join(many, name), '');
      expected.push(name);
    }
    const together = await Array.fromAsync(walkTree(many));
    expect(together.flat().map(({ name }) => name)).toEqual(expected);
    expect(together.map(({ length }) => length)).toEqual([LOOKED_AT_ONCE, LOOKED_AT_ONCE, 300 - 2 * LOOKED_AT_ONCE]);
    const nothing: TreeEntry[] = [];
    for await (const some of walkTree(at('no such tree'))) nothing.push(...some);
    expect(nothing).toEqual([{ kind: 'unreadable', name: at('no such tree'), why: 'it vanished' }]);
  });
});

describe('an object that is written to a file', () => {
  const object = (key: string, parts: readonly string[] = ['bytes']): OpenBody => ({
    object: { key, version: '', sizeBytes: 0, etag: '', createdAtMs: 0 },
    body: (async function* () {
      for (const part of parts) yield Buffer.from(part);
    })(),
  });
  const root = at('out');
  const write = async (key: string, overwrite = false): Promise<number> =>
    (await new FileWriter({ overwrite }).writeBelow(root, object(key))).bytes;

  it('stays below its folder, whatever its name and whatever links are there', async () => {
    mkdirSync(root);
    mkdirSync(at('elsewhere'));
    symlinkSync(at('elsewhere'), join(root, 'link'));
    for (const key of ['../x', 'a/../../x', '/etc/x', 'a//b', '.', 'link/x', 'link/deeper/x', 'a\0b'])
      await expect(write(key), key).rejects.toMatchObject({ code: 'NAME_OUTSIDE' });
    expect(readdirSync(at('elsewhere'))).toEqual([]);
    expect(readdirSync(root)).toEqual(['link']);
    mkdirSync(join(root, 'real'));
    symlinkSync('real', join(root, 'inside'));
    expect(await write('inside/x')).toBe(5);
    expect(readFileSync(join(root, 'real/x'), 'utf8')).toBe('bytes');
  });

  it('replaces nothing unless told, a folder never, and no link is written through', async () => {
    writeFileSync(join(root, 'mine'), 'mine');
    writeFileSync(at('target'), 'mine');
    symlinkSync(at('target'), join(root, 'pointer'));
    await expect(write('mine')).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    await expect(write('mine/below')).rejects.toMatchObject({ code: 'FILE_EXISTS' });
    await expect(write('real', true)).rejects.toMatchObject({ code: 'NAME_IS_FOLDER' });
    await write('pointer', true);
    await write('mine', true);
    expect([readFileSync(at('target'), 'utf8'), readFileSync(join(root, 'mine'), 'utf8')]).toEqual(['mine', 'bytes']);
  });

  it('is there whole or not at all', async () => {
    const broken: OpenBody = {
      object: object('broken').object,
      body: (async function* () {
        yield Buffer.from('half');
        throw new Error('the drive is gone');
      })(),
    };
    await expect(new FileWriter({ overwrite: false }).writeBelow(root, broken)).rejects.toThrow('the drive is gone');
    expect(readdirSync(root).filter((name) => name === 'broken' || name.endsWith('.part'))).toEqual([]);
  });
});
