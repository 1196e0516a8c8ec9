// Trees of files that `get` writes many at once: what is not as it should be goes its own way, nothing is written
// outside or over anything, and what has a name is whole whatever a power cut leaves.
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ObjectInfo, TreePart } from '../../lib/client/face.ts';
import { EmbeddedClient } from '../../lib/client/file/embedded-client.ts';
import { canSyncAll } from '../../lib/client/files/tree/disk-sync.ts';
import { type TreeOptions, TreeWriter } from '../../lib/client/files/tree/write-tree.ts';
import { WRITER_TAG } from '../../lib/drive/writer-tag.ts';
import { createEmbedded } from '../../lib/engine/wire/embedded.ts';
import { systemRandomness } from '../../lib/foundation/randomness.ts';
import { blockIdOf, sealBlock } from '../../lib/keys/envelope.ts';
import { PRESETS } from '../../lib/settings/settings.ts';
import { listVolumes } from '../../lib/volume/rows/read-rows.ts';
import { temporaryFolder } from './temporary-folder.ts';

const folder = temporaryFolder();
const at = (name: string): string => join(folder, name);
const KEK = { version: 1, key: Buffer.alloc(32, 7) };

type Sealed = Extract<TreePart, { kind: 'sealed' }>;

function sealed(contents: Readonly<Record<string, string>>, metadata?: string): Sealed {
  const records: Uint8Array[] = [];
  let offset = 0;
  const objects = Object.entries(contents).map(([key, content]) => {
    const plaintext = Buffer.from(content);
    const { record, recordId, wrappedBek } = sealBlock(plaintext, systemRandomness, KEK);
    const length = record.byteLength;
    records.push(record);
    offset += length;
    const info = { key, version: '', sizeBytes: plaintext.length, etag: '', createdAtMs: 0 };
    const object: ObjectInfo = metadata === undefined ? info : { ...info, metadata };
    return {
      object,
      offset: offset - length,
      length,
      recordId,
      blockId: blockIdOf(plaintext),
      wrappedBek,
      kek: KEK.key,
    };
  });
  const bytes = Buffer.allocUnsafeSlow(offset);
  bytes.set(Buffer.concat(records));
  return { kind: 'sealed', bytes, objects };
}

async function writerTo(name: string, options: Partial<TreeOptions> = {}) {
  mkdirSync(at(name), { recursive: true });
  const alone: string[] = [];
  const named: string[] = [];
  const writer = await TreeWriter.below(at(name), {
    overwrite: false,
    alone: async ({ key }) => {
      alone.push(key);
    },
    filled: () => {},
    named: ({ key }) => {
      named.push(key);
    },
    ...options,
  });
  if (writer === undefined) throw new Error('this file system has no sync of all of it');
  return { writer, alone, named };
}

// Elsewhere every file is written on its own, as other tests say.
describe.runIf(await canSyncAll(folder))('a tree of files', () => {
  it('has contents, modes and times; nothing has a name before all are on the disk', async () => {
    const seen: string[][] = [];
    const { writer, alone, named } = await writerTo('whole', {
      syncAll: async (root) => {
        seen.push(readdirSync(join(root, 'a'), { encoding: 'utf8' }));
      },
    });
    const files = {
      'a/one': 'first',
      'a/two': 'second'.repeat(9_000),
      'a/b/three': '\0'.repeat(100_000),
      'a/four': '',
    };
    await writer.write(sealed(files, '{"mode":438,"mtimeMs":1500000000123,"mtimeNs":456789}'));
    await writer.end();
    expect([alone, named.sort()]).toEqual([[], Object.keys(files).sort()]);
    for (const [key, content] of Object.entries(files)) {
      const path = at(`whole/${key}`);
      expect(readFileSync(path, 'utf8')).toBe(content);
      expect([lstatSync(path).mode & 0o777, lstatSync(path, { bigint: true }).mtimeNs]).toEqual([
        0o666,
        1_500_000_000_123_456_789n,
      ]);
    }
    expect(lstatSync(at('whole/a/b/three')).blocks).toBeLessThan(100);
    const [before = [], after = []] = seen;
    expect(before.filter((name) => name !== 'b').every((name) => name.endsWith('.part'))).toBe(true);
    expect([before.length, after.sort()]).toEqual([4, ['b', 'four', 'one', 'two']]);
  });

  it('leaves a record that is not what it should be to a read of its own, and no part of it', async () => {
    const { writer, alone, named } = await writerTo('damaged');
    const part = sealed({ good: 'good', bad: 'bad', 'other key': 'x', 'other block': 'y' });
    part.bytes[(part.objects[1]?.offset ?? 0) + 40] = (part.bytes[(part.objects[1]?.offset ?? 0) + 40] ?? 0) ^ 1;
    const [good, bad, key, block] = part.objects as [
      Sealed['objects'][0],
      Sealed['objects'][0],
      Sealed['objects'][0],
      Sealed['objects'][0],
    ];
    const objects = [good, bad, { ...key, kek: Buffer.alloc(32, 8) }, { ...block, blockId: good.blockId }];
    await writer.write({ ...part, objects });
    await writer.end();
    expect([alone, named]).toEqual([['bad', 'other key', 'other block'], ['good']]);
    expect(readdirSync(at('damaged'))).toEqual(['good']);
  });

  it('goes through no link, though one takes the place of a folder meanwhile', async () => {
    mkdirSync(at('outside'));
    mkdirSync(at('linked'));
    symlinkSync(at('outside'), at('linked/link'));
    const { writer, alone } = await writerTo('linked');
    const info = (key: string): ObjectInfo => ({ key, version: '', sizeBytes: 1, etag: '', createdAtMs: 0 });
    for (const key of ['link/x', 'link/deep/x', '../x', 'a/../../x', '/x', 'a//b', '.', 'a\0b', 'n'.repeat(300)])
      expect(writer.isTogether(info(key)), key).toBe(false);
    expect(writer.isTogether(info('real/deep/x'))).toBe(true);
    rmSync(at('linked/real'), { recursive: true });
    symlinkSync(at('outside'), at('linked/real'));
    mkdirSync(at('outside/deep'));
    await writer.write(sealed({ 'real/deep/x': 'x', 'link/x': 'x' }));
    await writer.end();
    expect(alone.sort()).toEqual(['link/x', 'real/deep/x']);
    expect([readdirSync(at('outside')), readdirSync(at('outside/deep'))]).toEqual([['deep'], []]);
  });

  it('replaces nothing unless told, and no link is written through', async () => {
    mkdirSync(at('taken'));
    writeFileSync(at('taken/mine'), 'mine');
    writeFileSync(at('aim'), 'mine');
    const first = await writerTo('taken');
    const [mine, late] = sealed({ mine: 'x', late: 'x' }).objects.map(({ object }) => object) as [
      ObjectInfo,
      ObjectInfo,
    ];
    expect([first.writer.isTogether(mine), first.writer.isTogether(late)]).toEqual([false, true]);
    symlinkSync(at('aim'), at('taken/late'));
    await first.writer.write(sealed({ late: 'other', mine: 'other', new: 'new' }));
    await first.writer.end();
    expect([first.alone, first.named]).toEqual([['late', 'mine'], ['new']]);
    expect([readFileSync(at('taken/mine'), 'utf8'), readFileSync(at('aim'), 'utf8')]).toEqual(['mine', 'mine']);
    const second = await writerTo('taken', { overwrite: true });
    await second.writer.write(sealed({ late: 'other', mine: 'other' }));
    await second.writer.end();
    expect(second.named).toEqual(['late', 'mine']);
    expect([lstatSync(at('taken/late')).isFile(), readFileSync(at('taken/mine'), 'utf8')]).toEqual([true, 'other']);
    expect(readFileSync(at('aim'), 'utf8')).toBe('mine');
    expect(readdirSync(at('taken')).sort()).toEqual(['late', 'mine', 'new']);
  });

  it('knows files that are there already with the content of their objects, and nothing else', async () => {
    mkdirSync(at('there/dir'), { recursive: true });
    const info = (key: string, content: string): ObjectInfo => ({
      ...{ key, version: '', createdAtMs: 0, sizeBytes: content.length },
      etag: blockIdOf(Buffer.from(content)),
    });
    for (const name of ['same', 'aim']) writeFileSync(at(`there/${name}`), 'same');
    writeFileSync(at('there/other'), 'else');
    writeFileSync(at('there/longer'), 'same!');
    symlinkSync('aim', at('there/link'));
    const names = ['same', 'other', 'longer', 'link', 'dir', 'missing', '../there/same'];
    const objects = names.map((name) => info(name, 'same'));
    const { writer } = await writerTo('there');
    expect([...(await writer.there(objects))].map(({ key }) => key)).toEqual(['same']);
    await writer.end();
    const overwriting = await writerTo('there', { overwrite: true });
    expect((await overwriting.writer.there(objects)).size).toBe(0);
    await overwriting.writer.end();
    expect(readFileSync(at('there/other'), 'utf8')).toBe('else');
  });

  it('removes what a get that was killed left half written', async () => {
    mkdirSync(at('killed'));
    const [pid, , place] = WRITER_TAG.split('-');
    writeFileSync(at(`killed/.pocketful-${pid}-1-${place}-0.part`), 'half');
    const { writer } = await writerTo('killed');
    await writer.end();
    expect(readdirSync(at('killed'))).toEqual([]);
  });

  it('says what kept all of it from the disk, and names nothing then', async () => {
    const { writer, named } = await writerTo('full', {
      syncAll: async () => {
        throw new Error('no space left');
      },
    });
    await writer.write(sealed({ one: 'x' }));
    await expect(writer.end()).rejects.toThrow('no space left');
    expect([named, existsSync(at('full/one'))]).toEqual([[], false]);
  });
});

describe('a store', () => {
  const LONG = Buffer.alloc(3 * 64 * 1024, 'long');
  const contents = new Map<string, Buffer>();
  let client: EmbeddedClient;

  beforeAll(async () => {
    const dir = at('store');
    const settings = { ...PRESETS.personal, blockBytesMax: 64 * 1024 };
    client = new EmbeddedClient(`file:${dir}`, await createEmbedded(dir, { settings }), 'default');
    for (let i = 0; i < 100; i++) contents.set(`f/${i}`, Buffer.alloc(2_000 + i, `content ${i % 90} `));
    contents.set('f/long', LONG).set('f/empty', Buffer.alloc(0));
    const items = [...contents].map(([key, body]) => ({
      key,
      body: async function* () {
        yield body;
      },
    }));
    for await (const outcome of client.putAll(items)) expect(outcome).toMatchObject({ ok: true });
    return () => client.close();
  });

  async function readAll(wanted = (_: ObjectInfo) => true) {
    const { openBlock } = await import('../../lib/keys/envelope.ts');
    const found = new Map<string, Buffer>();
    const alone: string[] = [];
    let spans = 0;
    for await (const part of client.readTree({ prefix: 'f/', isTogether: wanted, damaged: () => {} })) {
      if (part.kind === 'alone') {
        alone.push(...part.objects.map(({ key }) => key));
        continue;
      }
      spans += 1;
      for (const { object, offset, length, wrappedBek, kek, recordId, blockId } of part.objects) {
        const record = part.bytes.subarray(offset, offset + length);
        found.set(object.key, Buffer.from(openBlock(record, wrappedBek, kek, { recordId, blockId })));
      }
    }
    for (const [key, bytes] of found) expect(bytes.equals(contents.get(key) as Buffer), key).toBe(true);
    return { keys: [...found.keys()].sort(), alone: alone.sort(), spans };
  }
  const single = (): string[] => [...contents.keys()].filter((key) => !/long|empty/.test(key)).sort();

  it('reads neighbours together, whatever is of one block; the rest alone', async () => {
    const { keys, alone, spans } = await readAll();
    expect([keys, alone]).toEqual([single(), ['f/empty', 'f/long']]);
    expect(spans).toBeLessThan(10);
  });

  it('rebuilds what lies on drives that are away for many records at once', async () => {
    const { components } = client.engine;
    const volumes = await listVolumes(components.panda, components.settings.cell);
    const away = new Set(
      volumes.flatMap(({ extents }) => [0, 1].map((i) => components.drives[extents[i]?.drive ?? -1]?.label ?? '')),
    );
    expect(away.size).toBeGreaterThan(1);
    for (const drive of away) renameSync(drive, `${drive}-away`);
    try {
      const { keys, alone } = await readAll();
      expect([keys, alone]).toEqual([single(), ['f/empty', 'f/long']]);
    } finally {
      for (const drive of away) renameSync(`${drive}-away`, drive);
    }
  });

  it('gives those that are not wanted together alone, and all of them where they are few', async () => {
    const { keys, alone } = await readAll(({ key }) => key !== 'f/7');
    expect([keys.length, alone]).toEqual([99, ['f/7', 'f/empty', 'f/long']]);
    expect((await readAll(() => false)).keys).toEqual([]);
  });
});
