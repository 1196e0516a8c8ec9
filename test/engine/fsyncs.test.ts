// What an append that was acknowledged has cost in fsyncs of files and folders, and that all of them came before. The calls
// are recorded below the engine, in node:fs itself. (Those of SQLite are not Node's.)
import { createRequire, syncBuiltinESMExports } from 'node:module';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { codecShape } from '../../lib/codec/shape.ts';
import { PRESETS } from '../../lib/settings/settings.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';

type Callback = (error: Error | null, ...results: unknown[]) => void;
type Call = (...args: unknown[]) => void;
type Event = { readonly call: 'fsync' | 'link'; readonly path: string; readonly to?: string };

const CALLS = ['open', 'fsync', 'link'] as const;
const mutable = createRequire(import.meta.url)('node:fs') as Record<string, Call>;
const originals = new Map(CALLS.map((name) => [name, mutable[name] as Call]));
const folder = temporaryFolder();
const paths = new Map<number, string>();
let events: Event[] = [];
let engine: typeof import('../../lib/engine/wire/embedded.ts');

/** DRIVE/ZONE/GENERATION/NAME */
const isChunk = (path: string): boolean => /\/drives\/\d+\/\d+\/\d+\/[^/]+$/.test(path);

function record(name: (typeof CALLS)[number]): void {
  const original = originals.get(name) as Call;
  const recorded: Call = (...args) => {
    const done = args.pop() as Callback;
    const path = typeof args[0] === 'number' ? (paths.get(args[0]) ?? '?') : String(args[0]);
    original(...args, (error: Error | null, ...results: unknown[]) => {
      if (error === null && name === 'open') paths.set(results[0] as number, path);
      if (error === null && name !== 'open')
        events.push({ call: name, path, ...(name === 'link' ? { to: String(args[1]) } : {}) });
      done(error, ...results);
    });
  };
  mutable[name] = Object.defineProperties(recorded, Object.getOwnPropertyDescriptors(original));
}

beforeAll(async () => {
  for (const name of CALLS) record(name);
  syncBuiltinESMExports();
  engine = await import('../../lib/engine/wire/embedded.ts'); // only now does it see the recorded calls
});
afterAll(() => {
  for (const [name, original] of originals) mutable[name] = original;
  syncBuiltinESMExports();
});
beforeEach(() => {
  events = [];
});

it.each(['thrifty', 'personal'] as const)('%s: one a chunk for its bytes, one for its name', async (preset) => {
  const columns = codecShape(PRESETS[preset].hotCodec);
  const store = await engine.createEmbedded(join(folder, preset), { settings: PRESETS[preset], drives: 10 });
  const put = async (prefix: string): Promise<readonly Event[]> => {
    const items = Array.from({ length: 40 }, (_, i) => ({
      namespace: 'default',
      key: `${prefix}${i}`,
      body: Buffer.from(`${prefix} of ${i}`),
    }));
    let atFirst: readonly Event[] | undefined;
    for await (const outcome of store.frontend.putAll(items)) {
      expect(outcome).toMatchObject({ ok: true });
      atFirst ??= [...events];
    }
    return atFirst ?? [];
  };
  await put('before');
  events = [];
  const acknowledged = await put('object');
  const chunks = acknowledged.filter(({ call, to }) => call === 'link' && isChunk(to ?? ''));
  // 40 objects are one append, and an append a chunk for each column.
  expect(chunks).toHaveLength(columns.dataColumns + columns.parityColumns);
  for (const chunk of chunks) {
    const named = acknowledged.indexOf(chunk);
    const bytes = acknowledged.flatMap(({ call, path }, i) => (call === 'fsync' && path === chunk.path ? [i] : []));
    expect(bytes).toHaveLength(1);
    expect(bytes[0]).toBeLessThan(named);
    const zone = dirname(chunk.to as string);
    const names = acknowledged.flatMap(({ call, path }, i) => (call === 'fsync' && path === zone ? [i] : []));
    expect(names).toHaveLength(1);
    expect(names[0]).toBeGreaterThan(named);
  }
  // A zone that is new has its own name and that of its folder made durable, once.
  const ofDrives = acknowledged.filter(
    ({ call, path }) => call === 'fsync' && /\/drives\/\d+(\/\d+)*(\/tmp|$)/.test(path),
  );
  expect(ofDrives.length).toBeLessThanOrEqual(3 * chunks.length);
  await store.close();
});

it('a thousand objects cost no more than one append, and what is large as many as it has appends', async () => {
  const settings = PRESETS.thrifty;
  const store = await engine.createEmbedded(join(folder, 'many'), { settings, drives: 10 });
  const items = Array.from({ length: 1000 }, (_, i) => ({
    namespace: 'default',
    key: `${i}`,
    body: Buffer.from(`many ${i}`),
  }));
  for await (const outcome of store.frontend.putAll(items)) expect(outcome).toMatchObject({ ok: true });
  expect(events.filter(({ call, to }) => call === 'link' && isChunk(to ?? ''))).toHaveLength(1);
  await store.close();
});
