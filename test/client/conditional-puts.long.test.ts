// Puts of a program only at the version that it wants, on a store in a directory; those to a stage are in aws-bulk.test.ts.
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { PutOutcome } from '../../lib/client/face.ts';
import { openEmbeddedClient } from '../../lib/client/file/embedded-client.ts';
import { createEmbedded } from '../../lib/engine/wire/embedded.ts';
import { systemClock } from '../../lib/foundation/clock.ts';
import { systemRandomness } from '../../lib/foundation/randomness.ts';
import { PRESETS } from '../../lib/settings/settings.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';

const folder = temporaryFolder();

it('stores an object only if it is at the version that is wanted', async () => {
  const place = join(folder, 'store');
  await (await createEmbedded(place, { settings: PRESETS.demo, drives: 20 })).close();
  const ports = { clock: systemClock, randomness: systemRandomness };
  const client = await openEmbeddedClient(place, { namespace: 'default', ...ports });
  const put = async (text: string, ifVersion?: string): Promise<PutOutcome> => {
    const body = async function* () {
      yield Buffer.from(text);
    };
    for await (const outcome of client.putAll([{ key: 'a', body, ifVersion }])) return outcome;
    throw new Error('no outcome');
  };
  const first = await put('first', 'absent');
  const refused = { ok: false, error: { code: 'VERSION_MISMATCH' } };
  expect(first).toMatchObject({ ok: true });
  expect(await put('second', 'absent')).toMatchObject(refused);
  expect(await put('second', first.ok ? first.version : '')).toMatchObject({ ok: true });
  expect(await put('third', first.ok ? first.version : '')).toMatchObject(refused);
  expect((await client.head('a')).sizeBytes).toBe('second'.length);
  await client.close();
});
