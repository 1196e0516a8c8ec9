// A drive on a file system without hard links (FAT, exFAT, some network shares): the contract holds there too, and what a kill in
// between leaves is in nobody's way.
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { DirectoryDrive } from '../../lib/drive/directory-drive.ts';
import { driveId, storeId } from '../../lib/foundation/ids.ts';
import { assertPrivatePlace } from '../../lib/keys/key-file-place.ts';
import { driveContract } from '../contract/drive.contract.ts';

const identity = { storeId: storeId('ab'.repeat(16)), driveId: driveId(3) };
const noLinks = async (): Promise<void> => {
  throw Object.assign(new Error('EPERM: operation not permitted, link'), { code: 'EPERM', syscall: 'link' });
};

driveContract('directory without hard links', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pocketful-drive-'));
  return {
    drive: await DirectoryDrive.create(join(folder, 'drive'), identity, noLinks),
    reopen: () => DirectoryDrive.open(join(folder, 'drive'), identity, noLinks),
    close: () => rm(folder, { recursive: true }),
  };
});

describe('without hard links', () => {
  const root = mkdtempSync(join(tmpdir(), 'pocketful-drive-'));
  afterAll(() => rmSync(root, { recursive: true }));
  const at = { zone: 1, generation: 0 };

  it('one of many writers of a name wins, and nothing else is left', async () => {
    const drive = await DirectoryDrive.create(join(root, 'many'), identity, noLinks);
    const bodies = Array.from({ length: 20 }, (_, i) => Buffer.alloc(1000, i));
    const done = await Promise.allSettled(bodies.map((body) => drive.append(at, '1-1', [body])));
    const winner = done.findIndex(({ status }) => status === 'fulfilled');
    expect(done.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(Buffer.from(await drive.read(at, '1-1')).equals(bodies[winner] as Buffer)).toBe(true);
    expect(readdirSync(join(root, 'many/1/0'))).toEqual(['1-1']);
    const [temporary = ''] = readdirSync(join(root, 'many')).filter((name) => name.startsWith('tmp'));
    expect(readdirSync(join(root, 'many', temporary))).toEqual([]);
  });

  it('a maker killed while it named its marker does not keep the next one from making the drive', async () => {
    await DirectoryDrive.create(join(root, 'killed'), identity, noLinks);
    writeFileSync(join(root, 'killed/pocketful-drive'), '');
    const drive = await DirectoryDrive.create(join(root, 'killed'), identity, noLinks);
    await drive.append(at, '1-1', [Buffer.from('x')]);
    expect(await drive.list(at)).toEqual([{ name: '1-1', bytes: 1 }]);
  });

  it('and without permissions either, no store is begun: its keys would be everybody’s', async () => {
    const call = assertPrivatePlace(root, async () => 0o100755);
    await expect(call).rejects.toMatchObject({ kind: 'invalid', code: 'STORE_PLACE' });
    expect(readdirSync(root)).not.toContain('keys.json.place');
    await assertPrivatePlace(root);
    expect(readdirSync(root)).not.toContain('keys.json.place');
  });
});
