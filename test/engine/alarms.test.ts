// Alarms of a store on one machine: measured, remembered across processes, in status, told to a command and a web hook, and a line a day.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { collectStatus } from '../../lib/engine/status/collect-status.ts';
import { readHistory } from '../../lib/engine/upkeep/history.ts';
import { type AlarmCall, postAlarm, runForAlarm } from '../../lib/engine/upkeep/system-alarm-calls.ts';
import { watchAlarms } from '../../lib/engine/upkeep/watch-alarms.ts';
import { DAY_MS, HOUR_MS } from '../../lib/foundation/durations.ts';
import { MemoryStream } from '../../lib/stream/memory-stream.ts';
import { temporaryFolder } from '../cli/temporary-folder.ts';
import { deleteFiles, sealedWorld } from '../compaction/acting-world.ts';
import { Stage } from '../functions/stage.ts';
import type { Process } from '../store/harness.ts';

const watch = (p: Process) =>
  watchAlarms({ ...p, components: p.components, queue: new MemoryStream(p.components.clock) });

it('after hours of too much overhead there is an alarm, for whoever looks, until it is over', async () => {
  const { world, model, p } = await sealedWorld({ volumes: 12, filesEach: 60, deletedEach: () => 5 });
  expect((await watch(p)).firing).toEqual([]);
  world.clock.advance(7 * DAY_MS);
  await deleteFiles(p, model, [...model.there.keys()].slice(0, 400));
  world.clock.advance(HOUR_MS);
  await new Stage(world).invoke('gc');
  const first = await watch(p);
  expect(first.metrics['SealedOverhead']).toBeGreaterThan(2.025);
  expect(first.firing.map(({ name }) => name)).not.toContain('overhead-rising');
  world.clock.advance(2 * HOUR_MS);
  const other = world.start();
  const begun = await watch(other);
  expect(begun.began.map(({ name }) => name)).toEqual(expect.arrayContaining(['overhead-rising']));
  expect((await watch(p)).began).toEqual([]);
  const { alarms } = await collectStatus(p.components);
  expect(alarms).toContainEqual({
    name: 'overhead-rising',
    text: expect.stringContaining('higher than a week ago'),
    sinceMs: world.clock.nowMs() - 2 * HOUR_MS,
  });
  const days = await readHistory(p.components);
  expect(days.length).toBeGreaterThanOrEqual(2);
  expect(days.at(-1)).toMatchObject({
    overhead: expect.closeTo(first.metrics['SealedOverhead'] ?? 0, 3),
    overheadWeekChange: expect.any(Number),
  });
  expect(days.at(-1)?.fillHistogram?.reduce((a, b) => a + b)).toBeGreaterThanOrEqual(10);
  // Everything else is gone: nothing is sealed any more, and nobody can say.
  await deleteFiles(p, model, [...model.there.keys()]);
  expect((await watch(p)).firing.map(({ name }) => name)).toContain('overhead-rising');
});

describe('who is told', () => {
  const folder = temporaryFolder();
  const call: AlarmCall = {
    store: 'file:s',
    state: 'began',
    name: 'overhead-high',
    text: 'it\'s "high"; rm -rf $HOME',
    runbook: 'docs/operations.md#overhead-high',
    sinceMs: 5,
  };

  it('a command gets the alarm in its environment and as a document', async () => {
    const file = join(folder, 'told');
    await runForAlarm(
      `printf '%s|%s|%s|' "$POCKETFUL_ALARM" "$POCKETFUL_ALARM_STATE" "$POCKETFUL_ALARM_TEXT" > '${file}'; cat >> '${file}'`,
      call,
    );
    const [name, state, text, document] = readFileSync(file, 'utf8').split('|');
    expect([name, state, text]).toEqual([call.name, call.state, call.text]);
    expect(JSON.parse(document ?? '')).toEqual(call);
    await expect(runForAlarm('exit 3', call)).rejects.toMatchObject({ code: 'ALARM_UNTOLD' });
  });

  it('a web hook gets the document, and whatever it answers but success counts as untold', async () => {
    const bodies: string[] = [];
    const answers = [204, 500, 302];
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (part) => {
        body += String(part);
      });
      request.on('end', () => {
        bodies.push(`${request.method} ${request.headers['content-type']} ${body}`);
        response.writeHead(answers.shift() ?? 500, { location: 'http://127.0.0.1:1/' }).end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
    try {
      await postAlarm(url, call);
      expect(bodies).toEqual([`POST application/json ${JSON.stringify(call)}`]);
      await expect(postAlarm(url, call)).rejects.toMatchObject({
        code: 'ALARM_UNTOLD',
        message: expect.stringContaining('status 500'),
      });
      await expect(postAlarm(url, call)).rejects.toMatchObject({ code: 'ALARM_UNTOLD' });
    } finally {
      server.close();
    }
    await expect(postAlarm(url, call)).rejects.toMatchObject({
      code: 'ALARM_UNTOLD',
      message: expect.stringContaining('does not answer'),
    });
  });
});
