// restore --rebuild in a process that may use little memory: what it needs does not grow with the number of objects. (Rows held in maps
// took over 3 KB of heap an object.)
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { backupTo } from '../../lib/engine/backup/backup.ts';
import { createEmbedded } from '../../lib/engine/wire/embedded.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { settingsOf } from '../../lib/settings/settings.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';

const PROGRAM = fileURLToPath(new URL('../../bin/cli.mjs', import.meta.url));
const OBJECTS = 40_000;
const HEAP_MIB = 64;
const root = temporaryFolder();

it(`rebuilds ${OBJECTS} objects with ${HEAP_MIB} MiB of heap`, async () => {
  const dir = join(root, 'store');
  const store = await createEmbedded(dir, { settings: settingsOf('demo') });
  const random = new SeededRandomness(1);
  function* items() {
    for (let i = 0; i < OBJECTS; i++) yield { namespace: 'default', key: `f/${i}`, body: random.bytes(24) };
  }
  for await (const outcome of store.frontend.putAll(items())) if (!outcome.ok) throw outcome.error;
  await backupTo(store, join(root, 'backup'));
  await store.close();
  rmSync(join(dir, 'panda.sqlite'));
  const args = [PROGRAM, 'restore', join(root, 'backup'), '--rebuild', '--store', `file:${dir}`, '--json'];
  const child = spawn(process.execPath, [`--max-old-space-size=${HEAP_MIB}`, ...args], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let out = '';
  child.stdout.on('data', (bytes: Buffer) => {
    out += bytes;
  });
  const [code] = await once(child, 'close');
  expect(code).toBe(0);
  expect(JSON.parse(out).rebuild).toMatchObject({ objects: OBJECTS, lostObjects: 0 });
}, 600_000);
