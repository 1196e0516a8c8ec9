import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../lib/foundation/clock.ts';
import { scriptedPlan } from '../../lib/foundation/faults.ts';
import { FaultyStream } from '../../lib/stream/faulty-stream.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { SqliteStream } from '../../lib/stream/sqlite-stream.ts';
import { streamContract } from '../contract/stream.contract.ts';

const newPath = (): string => join(mkdtempSync(join(tmpdir(), 'pocketful-stream-')), 'stream.sqlite');

streamContract('memory', async () => {
  const clock = new SimulatedClock();
  return { clock, stream: new MemoryStream(clock, 3) };
});
streamContract('SQLite', async () => {
  const clock = new SimulatedClock();
  return { clock, stream: SqliteStream.open(newPath(), clock, 3) };
});
streamContract('faulty, with a plan without faults', async () => {
  const clock = new SimulatedClock();
  return {
    clock,
    stream: new FaultyStream(
      new MemoryStream(clock, 3),
      scriptedPlan(() => 'none'),
    ),
  };
});

describe('SQLite stream', () => {
  it('is there for another process, and after closing', async () => {
    const clock = new SimulatedClock();
    const path = newPath();
    const first = SqliteStream.open(path, clock);
    const second = SqliteStream.open(path, clock);
    await first.send(['a']);
    expect((await second.receive(1, 1000)).map(({ body }) => body)).toEqual(['a']);
    await first.close();
    await second.close();
    clock.advance(1000);
    const third = SqliteStream.open(path, clock);
    expect((await third.receive(1, 1000)).map(({ receives }) => receives)).toEqual([2]);
    await third.close();
  });

  it('refuses a file that is not its own', () => {
    const path = newPath();
    writeFileSync(path, 'not a database, but long enough to look at: '.repeat(50));
    expect(() => SqliteStream.open(path, new SimulatedClock())).toThrow(/cannot be used|not a stream/);
    const { DatabaseSync } = process.getBuiltinModule('node:sqlite');
    const other = newPath();
    const database = new DatabaseSync(other);
    database.exec('CREATE TABLE t (x)');
    database.close();
    expect(() => SqliteStream.open(other, new SimulatedClock())).toThrow(/not a stream/);
  });
});
