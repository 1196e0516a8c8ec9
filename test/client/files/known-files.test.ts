// What is remembered of files: only what is surely still so, and never needed.
import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { openEmbeddedClient } from '../../../lib/client/file/embedded-client.ts';
import { changedFiles, type FileToPut } from '../../../lib/client/files/changed-files.ts';
import { KnownFiles } from '../../../lib/client/files/known-files.ts';
import { fileToPut } from '../../../lib/client/files/read-file.ts';
import { createEmbedded } from '../../../lib/engine/wire/embedded.ts';
import { systemClock } from '../../../lib/foundation/clock.ts';
import { systemRandomness } from '../../../lib/foundation/randomness.ts';
import { STAMP_TRUSTED_MS } from '../../../lib/limits/engine.ts';
import { PRESETS } from '../../../lib/settings/settings.ts';
import { temporaryFolder } from '../../cli/temporary-folder.ts';

const folder = temporaryFolder();
const TREE = { host: 'here', root: '/tree', namespace: 'default', folder: '' };
let directory: string;
let file: string;
let trees = 0;

beforeEach(() => {
  directory = join(folder, `seen-${trees++}`);
  file = join(folder, `file-${trees}`);
  fs.writeFileSync(file, 'bytes');
});

const look = (path = file): fs.BigIntStats => fs.lstatSync(path, { bigint: true });
/** As if it had been found long after it changed. */
const later = (found: Pick<fs.BigIntStats, 'ctimeMs'>): number => Number(found.ctimeMs) + STAMP_TRUSTED_MS;

async function remember(name = 'a', foundAtMs = later(look())): Promise<void> {
  const known = await KnownFiles.open(directory, TREE);
  known.note(name, look(), 'v1', foundAtMs);
  await known.save(true);
}

describe('a file that was remembered', () => {
  it.each(['a', 'a name with spaces', 'ünï/cödé'])('%s is known as long as it is the same', async (name) => {
    await remember(name);
    expect((await KnownFiles.open(directory, TREE)).versionOf(name, look())).toBe('v1');
  });

  it.each<[string, () => void]>([
    ['grew', () => fs.appendFileSync(file, ' ')],
    [
      'was written in place and had its time set back',
      () => {
        const { atime, mtime } = fs.statSync(file);
        fs.writeFileSync(file, 'BYTES');
        fs.utimesSync(file, atime, mtime);
      },
    ],
    [
      'was replaced',
      () => {
        fs.writeFileSync(`${file}.new`, 'bytes');
        fs.renameSync(`${file}.new`, file);
      },
    ],
    ['got another mode', () => fs.chmodSync(file, 0o600)],
  ])('is not known when it %s', async (_, change) => {
    await remember();
    change();
    expect((await KnownFiles.open(directory, TREE)).versionOf('a', look())).toBeUndefined();
  });

  it('is not believed if it had just been written when it was put', async () => {
    await remember('a', later(look()) - 1);
    expect((await KnownFiles.open(directory, TREE)).versionOf('a', look())).toBeUndefined();
  });

  it('is not known for another tree, nor if it is not to be trusted', async () => {
    await remember();
    const other = await KnownFiles.open(directory, { ...TREE, folder: 'x/' });
    expect(other.versionOf('a', look())).toBeUndefined();
    expect((await KnownFiles.open(directory, TREE, false)).versionOf('a', look())).toBeUndefined();
  });

  it('a file that was cut off, or is something else, is passed over', async () => {
    await remember();
    const [name] = fs.readdirSync(directory);
    const path = join(directory, name as string);
    const whole = fs.readFileSync(path);
    for (const bytes of [whole.subarray(0, -1), whole.subarray(0, 10), Buffer.from('\n\n x\n'), Buffer.alloc(0)]) {
      fs.writeFileSync(path, bytes);
      expect((await KnownFiles.open(directory, TREE)).versionOf('a', look())).toBeUndefined();
    }
  });

  it('is forgotten when it is gone, unless not all was seen', async () => {
    await remember();
    await (await KnownFiles.open(directory, TREE)).save(false);
    expect((await KnownFiles.open(directory, TREE)).versionOf('a', look())).toBe('v1');
    await (await KnownFiles.open(directory, TREE)).save(true);
    expect((await KnownFiles.open(directory, TREE)).versionOf('a', look())).toBeUndefined();
  });
});

describe('beside a store', () => {
  it('only what is in it as it was, and can be read, is passed over', async () => {
    const place = join(folder, `store-${trees}`);
    await (await createEmbedded(place, { settings: { ...PRESETS.demo, deleteGraceMs: 60_000 }, drives: 20 })).close();
    const client = await openEmbeddedClient(place, {
      namespace: 'default',
      clock: systemClock,
      randomness: systemRandomness,
    });
    const paths = ['same', 'deleted', 'overwritten', 'retold'].map((name) => join(folder, name));
    for (const path of paths) fs.writeFileSync(path, path);
    const files = paths.map((path): FileToPut => {
      const name = path.slice(folder.length + 1);
      return { name, path, stats: look(path), foundAtMs: 0, request: fileToPut(name, path, look(path)) };
    });
    const known = await KnownFiles.open(directory, TREE);
    for await (const outcome of client.putAll(files.map(({ request }) => request))) {
      const { name, stats } = files.find(({ request }) => request.key === outcome.key) as FileToPut;
      if (outcome.ok) known.note(name, stats, outcome.version, later(stats));
    }
    await known.save(true);
    const toPut = async (): Promise<{ put: string[]; same: string[] }> => {
      const same: string[] = [];
      const again = await KnownFiles.open(directory, TREE);
      const put = await Array.fromAsync(
        changedFiles(each([files.slice(0, 3), files.slice(3)]), again, client.remembering, ({ key }) => same.push(key)),
      );
      return { put: put.flat().map(({ name }) => name), same };
    };
    expect(await toPut()).toEqual({ put: [], same: ['same', 'deleted', 'overwritten', 'retold'] });
    await Array.fromAsync(client.deleteAll(['deleted']));
    const other = async function* () {
      yield Buffer.from('other');
    };
    await Array.fromAsync(client.putAll([{ key: 'overwritten', body: other }]));
    (files[3] as { request: unknown }).request = { ...files[3]?.request, metadata: '{}' };
    expect(await toPut()).toEqual({ put: ['deleted', 'overwritten', 'retold'], same: ['same'] });
    for (const drive of fs.readdirSync(join(place, 'drives')))
      for (const zone of fs.readdirSync(join(place, 'drives', drive)).filter((name) => /^\d/.test(name)))
        fs.rmSync(join(place, 'drives', drive, zone), { recursive: true });
    expect(await toPut()).toEqual({ put: ['same', 'deleted', 'overwritten', 'retold'], same: [] });
    await client.close();
  });
});

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
}
