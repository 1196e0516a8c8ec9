// The journal of a stage looked at: what status says of it, and its copies in the buckets verified by the function that can unwrap keys, as
// its schedule and the operator's command have it.
import type { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { describe, expect, it } from 'vitest';
import { statusText } from '../../bin/commands/show/status-text.ts';
import { StageAdmin } from '../../lib/client/aws/aws-admin.ts';
import { Invoker } from '../../lib/client/aws/aws-invoke.ts';
import type { StageOutputs } from '../../lib/client/aws/aws-stage.ts';
import { newestOf } from '../../lib/client/aws/aws-stream-age.ts';
import type { Shelf } from '../../lib/drive/shelf.ts';
import { stageJournal, verifyStageJournal } from '../../lib/engine/journal/verify-stage-journal.ts';
import type { VerifyReport } from '../../lib/engine/upkeep/verify.ts';
import { DAY_MS } from '../../lib/foundation/durations.ts';
import { CountingPlan } from '../../lib/foundation/faults.ts';
import { OUTPUTS } from '../../lib/settings/stage-names.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import type { MemoryShelf } from '../journal/memory-shelf.ts';
import { dies } from '../journal/world.ts';
import { DRIVES, JournalStage, KEKS } from './journal-stage.ts';
import { Stage } from './stage.ts';

const KEYS = '0/keys-00000001';

async function shippedStage(seed: number, writes = 40): Promise<JournalStage> {
  const stage = new JournalStage(seed);
  await stage.begin();
  for (let i = 0; i < writes; i++) await stage.write();
  await stage.deliverAll();
  return stage;
}

const verified = (stage: JournalStage, allSinceMs?: number): Promise<VerifyReport> =>
  stage.invoke({ verify: { allSinceMs } }) as Promise<VerifyReport>;

const copiesOn = (stage: JournalStage): number => stage.shelves.reduce((sum, { objects }) => sum + objects.size, 0);

/** Flips a bit of the object on the first so many drives that have it. */
function damage(stage: JournalStage, name: string, copies: number): void {
  const having = stage.shelves.filter(({ objects }) => objects.has(name)).slice(0, copies);
  expect(having.length).toBe(copies);
  for (const { objects } of having) {
    const bytes = objects.get(name) as Uint8Array;
    const at = bytes.length >> 1;
    bytes[at] = (bytes[at] as number) ^ 1;
  }
}

async function someSegment(stage: JournalStage): Promise<{ name: string; copies: number }> {
  const { way } = await stage.expectBack();
  const name = `0/${way.at(-1)?.parts[0]?.name}`;
  return { name, copies: stage.shelves.filter(({ objects }) => objects.has(name)).length };
}

/** The operator's commands, with the wire to the functions of this test. */
function adminOf(stage: JournalStage, ageMs: number | null = null): StageAdmin {
  const { components, volumes, frontend } = stage.world.start();
  const functions = new Stage(stage.world);
  const send = async ({ input }: InvokeCommand) => {
    const event: unknown = JSON.parse(Buffer.from(input.Payload as Uint8Array).toString());
    const answer =
      input.FunctionName === OUTPUTS.journal ? await stage.invoke(event) : await functions.invoke('gc', event);
    return { Payload: Buffer.from(JSON.stringify(answer)) };
  };
  const lambda = { send, destroy: () => {} } as unknown as LambdaClient;
  const invoker = new Invoker({ lambda, clock: stage.world.clock, randomness: components.randomness });
  const journal = stageJournal(components, (bucket) => stage.shelfAt(bucket));
  const engine = { components, volumes, frontend, queue: new MemoryStream(stage.world.clock, 3), journal };
  const outputs = OUTPUTS as unknown as StageOutputs;
  return new StageAdmin(
    'aws:dev',
    'default',
    async () => engine,
    invoker,
    outputs,
    async () => ageMs,
  );
}

describe('the journal of a stage', () => {
  it('says how far the buckets are, what they hold, and how far back one can go', async () => {
    const stage = await shippedStage(1);
    const reached = await stage.expectBack();
    const status = await adminOf(stage, 1200).status();
    const { journal } = status;
    const text = statusText(status);
    expect(text).toMatch(
      /^journal of the metadata, on 4 drives: up to .*Z, what came last was 1\.2 s late; a restore/m,
    );
    expect(text).toMatch(/^ladder, by level: .* back to .* points?$/m);
    expect(journal).toMatchObject({
      shipped: { epoch: 0, sequence: reached.point.sequence },
      waiting: { commits: null, ageMs: 1200 },
      way: reached.way.length,
      damagedRows: [],
      silent: [],
    });
    expect(journal?.levels.reduce((sum, { segments }) => sum + segments, 0)).toBeGreaterThanOrEqual(reached.way.length);
    expect(journal?.points).toBeGreaterThan(1);
    expect(journal?.oldestAtMs).toBeLessThanOrEqual(reached.atMs);
    expect(journal?.bytes).toBeGreaterThan(journal?.snapshot?.bytes ?? Number.POSITIVE_INFINITY);
  });

  it('is nothing yet where nothing was shipped', async () => {
    const stage = new JournalStage(2);
    await stage.begin();
    const admin = adminOf(stage);
    const status = await admin.status();
    expect(statusText(status)).toContain('journal of the metadata: nothing of it is on the drives (an ephemeral');
    expect(status.journal).toMatchObject({
      shipped: null,
      waiting: { commits: null },
      way: 0,
      points: 0,
      oldestAtMs: null,
    });
    const report = await admin.verify({ what: ['journal'], all: true });
    expect(report).toMatchObject({ level: 'healthy', done: true });
    expect(report.journal).toBeUndefined();
  });

  it('the stream is as late as its last minute says', () => {
    const at = (minute: number, Maximum: number) => ({ Timestamp: new Date(minute * 60_000), Maximum });
    expect(newestOf([])).toBeNull();
    expect(newestOf([at(2, 500.4), at(3, 31_000), at(1, 9)])).toBe(31_000);
  });
});

describe('verify of it', () => {
  it('reads each copy of segments and keys, once a day or when told', async () => {
    const stage = await shippedStage(3);
    const copies = copiesOn(stage);
    expect(await verified(stage)).toMatchObject({
      ...{ level: 'healthy', findings: [], done: true },
      journal: { objects: copies, damaged: 0, unread: 0, lostSegments: 0 },
    });
    expect((await verified(stage)).journal).toBeUndefined();
    stage.world.clock.advance(1000);
    const all = await adminOf(stage).verify({ all: true });
    expect(all.journal).toMatchObject({ objects: copies });
    expect(all.scrub).toMatchObject({ unread: 0, damage: [], moreDamage: 0, left: { volumes: 0 } });
    stage.world.clock.advance(DAY_MS);
    expect((await verified(stage)).journal).toMatchObject({ objects: copies });
  });

  it('writes damaged copies anew, and names them', async () => {
    const stage = await shippedStage(4);
    const { name } = await someSegment(stage);
    damage(stage, name, 1);
    damage(stage, KEYS, 2);
    stage.shelves.at(-1)?.remove(0, ['keys-00000001']);
    const report = await adminOf(stage).verify({ what: ['journal'], all: true });
    expect(report).toMatchObject({ level: 'degraded', journal: { damaged: 3, replaced: 3, lostSegments: 0 } });
    expect(report.findings.map(({ message }) => message).join('\n')).toContain(name.slice(2));
    expect(stage.shelves.filter(({ objects }) => objects.has(KEYS)).length).toBe(DRIVES);
    expect(await verified(stage, stage.world.clock.nowMs() + 1)).toMatchObject({ level: 'healthy' });
    await stage.deliverAll(); // the verifier's row
    for (let lost = 0; lost < DRIVES; lost++) await stage.expectBack([lost]);
  });

  it('has a snapshot made where no bucket has a segment sound', async () => {
    const stage = await shippedStage(5);
    // Batches of a shard that is behind hold rows as they are by now: this one alone has what is newest.
    await stage.write();
    await stage.deliverAll();
    const { name, copies } = await someSegment(stage);
    damage(stage, name, copies);
    await expect(stage.expectBack()).rejects.toThrow();
    const report = await verified(stage);
    expect(report).toMatchObject({ level: 'degraded', journal: { damaged: copies, replaced: 0, lostSegments: 1 } });
    await stage.deliverAll(); // the verifier's row
    await stage.expectBack();
  });

  it('leaves no key version that was replaced meanwhile', async () => {
    const stage = await shippedStage(6);
    damage(stage, KEYS, 1);
    const { volumes } = stage.world.start();
    // The row changes, and is shipped, between the look at it and the copy that is written anew.
    let isRotated = false;
    const rotates = (shelf: MemoryShelf): Shelf =>
      intercepting(shelf, async (operation, key) => {
        if (operation !== 'remove' || key !== KEYS || isRotated) return;
        isRotated = true;
        await stage.keys(2, KEKS);
        await stage.deliverAll();
      });
    await verifyStageJournal(volumes, (bucket) => rotates(stage.shelfAt(bucket)), {});
    expect(isRotated).toBe(true);
    const names = stage.shelves.flatMap(({ objects }) => [...objects.keys()].filter((one) => one.includes('keys')));
    expect([...new Set(names)]).toEqual(['0/keys-00000002']);
  });

  it.each(['before', 'after'] as const)('that dies %s any call leaves what the next one makes whole', async (mode) => {
    let isDead = true;
    let deaths = 0;
    for (let at = 1; isDead; at++) {
      const stage = await shippedStage(8, 6);
      const { name } = await someSegment(stage);
      damage(stage, name, 1);
      damage(stage, KEYS, 1);
      isDead = await dies(() => stage.invoke({ verify: {} }, new CountingPlan(at, mode)));
      if (isDead) deaths += 1;
      await stage.deliverAll();
      await stage.expectBack();
      const again = async () => (await verified(stage, stage.world.clock.nowMs() + 1)).journal;
      await again();
      expect(await again()).toMatchObject({ damaged: 0, unread: 0 });
      expect(stage.shelves.filter(({ objects }) => objects.has(KEYS)).length).toBe(DRIVES);
      await stage.deliverAll();
      for (let lost = 0; lost < DRIVES; lost++) await stage.expectBack([lost]);
      expect(at).toBeLessThan(200);
    }
    expect(deaths).toBeGreaterThan(10);
  });

  it('goes on where it was cut', async () => {
    const stage = await shippedStage(7);
    const copies = copiesOn(stage);
    let objects = 0;
    for (let pass = 0; ; pass++) {
      const controller = new AbortController();
      let reads = 0;
      const cuts = (shelf: MemoryShelf): Shelf =>
        intercepting(shelf, async (operation) => {
          if (operation === 'read' && ++reads === 9) controller.abort();
        });
      const { volumes } = stage.world.start();
      const { signal } = controller;
      const report = await verifyStageJournal(volumes, (bucket) => cuts(stage.shelfAt(bucket)), { signal });
      objects += report.journal?.objects ?? 0;
      expect(report.level).toBe('healthy');
      expect(pass).toBeLessThan(copies);
      if (report.done) break;
      expect(pass > 0 || reads < copies).toBe(true);
    }
    expect(objects).toBe(copies);
    expect((await verified(stage)).journal).toBeUndefined();
  });
});

/** Tells before each call. */
const intercepting = (shelf: MemoryShelf, before: (operation: string, key: string) => Promise<void>): Shelf => ({
  label: shelf.label,
  put: async (epoch, name, parts) => {
    await before('put', `${epoch}/${name}`);
    return shelf.put(epoch, name, parts);
  },
  read: async (epoch, name, range) => {
    await before('read', `${epoch}/${name}`);
    return shelf.read(epoch, name, range);
  },
  list: () => shelf.list(),
  remove: async (epoch, names) => {
    await before('remove', `${epoch}/${names[0]}`);
    return shelf.remove(epoch, names);
  },
});
