// kill -9 of a serving process before and after each call that makes something durable, in a part, a Complete, an Abort and a copy. The
// next process finds nothing half there: a name is absent or whole, an upload can be gone on with or is gone, and nothing is left over.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEmbedded } from '../../../lib/engine/wire/embedded.ts';
import { PARTS, UPLOADS } from '../../../lib/gateway/objects.ts';
import type { OpenGateway } from '../../../lib/gateway/open-gateway.ts';
import { settingsOf } from '../../../lib/settings/settings.ts';
import { bodyOf, type Opened, type Operation, openStore, perform } from './operations.ts';

const VICTIM = fileURLToPath(new URL('victim-child.ts', import.meta.url));
const STEPS_MAX = 400;
let dir: string;
let names = 0;

beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), 'pocketful-kill-'));
  await (await createEmbedded(dir, { settings: settingsOf('demo', { preset: 'demo' }), drives: 18 })).close();
  const store = await openStore(dir);
  await store.open.buckets.create('default', 'k');
  await store.close();
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Ended {
  readonly signal: string | null;
  readonly isDone: boolean;
}

async function killed(operation: Operation, name: string, step: number): Promise<Ended> {
  const child = spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', VICTIM, dir, operation, name, String(step)],
    {
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let said = '';
  child.stdout.on('data', (piece: Buffer) => {
    said += piece.toString();
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null];
  expect(signal === 'SIGKILL' || code === 0, `${operation} ${step}: code ${code}, ${signal}`).toBe(true);
  return { signal, isDone: said.startsWith('done') };
}

async function bytesAt(open: OpenGateway, key: string): Promise<Buffer | undefined> {
  if ((await open.objects.find('default', key)) === undefined) return undefined;
  const pieces: Uint8Array[] = [];
  for await (const piece of (await open.objects.get('default', key, () => undefined)).body) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** As the next server finds it. What is left of the upload, if anything, is ended; then nothing is left at all. */
async function checked({ open }: Opened, operation: Operation, name: string, { isDone }: Ended): Promise<void> {
  const found = await bytesAt(open, name);
  const makes = operation === 'complete' || operation === 'copy';
  if (found !== undefined) expect([makes, found.equals(bodyOf(name))]).toEqual([true, true]);
  if (makes && isDone) expect(found?.equals(bodyOf(name)), `${operation} was answered`).toBe(true);
  if (operation === 'copy') expect((await bytesAt(open, `source-${name}`))?.equals(bodyOf(name))).toBe(true);
  await open.uploads.sweep();
  const left = await open.uploads.list('default', '');
  if (isDone && (operation === 'complete' || operation === 'abort')) expect(left).toEqual([]);
  for (const { id, key } of left) {
    // It can be gone on with: its parts are whole.
    const parts = await perform(open, 'ListParts', key, { query: { uploadId: id } });
    const sizes = [...parts.matchAll(/<Size>(\d+)<\/Size>/g)].map(([, size]) => Number(size));
    expect(sizes.every((size) => size === bodyOf(name).length)).toBe(true);
    if (operation === 'part' && isDone) expect(sizes).toHaveLength(2);
    await perform(open, 'AbortMultipartUpload', key, { query: { uploadId: id } });
  }
  for (const namespace of [PARTS, UPLOADS]) {
    const { objects } = await open.objects.list({ namespace });
    expect(objects.map(({ key }) => key)).toEqual([]);
  }
}

/** A copy moves no bytes: it is one commit. */
const KILLS_MIN: readonly (readonly [Operation, number])[] = [
  ['part', 20],
  ['complete', 6],
  ['abort', 6],
  ['copy', 2],
];

it.each(KILLS_MIN)('killed at every step of %s', async (operation, killsMin) => {
  let kills = 0;
  for (let step = 1; step < STEPS_MAX; step++) {
    names += 1;
    const name = `n${names}`;
    const ended = await killed(operation, name, step);
    const store = await openStore(dir);
    try {
      await checked(store, operation, name, ended);
      if (ended.signal !== null) continue;
      const { findings } = await store.client.admin.doctor();
      expect(findings).toEqual([]);
      break;
    } finally {
      kills += ended.signal === null ? 0 : 1;
      await store.close();
    }
  }
  process.stdout.write(`${operation}: killed at ${kills} steps\n`);
  expect(kills).toBeGreaterThanOrEqual(killsMin);
});
