// `pocketful sim …` as its user sees it: one JSON document, one self-contained page, the same for the same seed; bad input in one
// line; Ctrl-C at once.
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../bin/commands/exit-codes.ts';

const CLI = join(import.meta.dirname, '../../bin/cli.mjs');
let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pocketful-sim-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

function sim(args: readonly string[], whenSaid?: (child: ReturnType<typeof spawn>) => void): Promise<Ended> {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CLI, 'sim', ...args]);
  let out = '';
  let err = '';
  child.stdout.on('data', (bytes) => {
    out += bytes;
  });
  child.stderr.on('data', (bytes) => {
    err += bytes;
    whenSaid?.(child);
  });
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, out, err })));
}

describe('sim', () => {
  it('answers with one document and a page, the same for the same seed and others for others', async () => {
    const page = join(folder, 'steady.html');
    const args = ['steady', '--volumes', '30', '--overhead', '1.3', '--deletes', '80/20', '--json'];
    const [one, again, other] = await Promise.all([
      sim([...args, '--html', page]),
      sim(args),
      sim([...args, '--seed', '7']),
    ]);
    expect(one?.code).toBe(EXIT.ok);
    expect(JSON.parse(one?.out ?? '').points[0].overhead).toBeCloseTo(1.3, 1);
    expect(again?.out).toBe(one?.out);
    expect(other?.out).not.toBe(one?.out);
    const html = await readFile(page, 'utf8');
    expect(html).not.toMatch(/https?:|<script|<link|@import|url\(/);
    expect(html).toContain('<svg');
  });

  it('lives a trace, and plans a store out of its status', async () => {
    const trace = join(folder, 'trace.csv');
    const status = join(folder, 'status.json');
    await writeFile(trace, Array.from({ length: 40 }, (_, day) => `${day},0.03,0.03`).join('\n'));
    await writeFile(status, JSON.stringify({ storeId: 's', preset: 'demo', volumes: [] }));
    const [lived, planned] = await Promise.all([
      sim(['steady', '--volumes', '30', '--overhead', '1.3', '--trace', trace]),
      sim(['what-if', status]),
    ]);
    expect(lived).toMatchObject({ code: EXIT.ok, err: '' });
    expect(lived?.out).toContain('trace.csv');
    expect(planned?.out).toContain('0 sealed volumes of s');
  });

  it('refuses bad input in one line', async () => {
    const broken = join(folder, 'broken.csv');
    await writeFile(broken, '0,1\n');
    const wrong: readonly (readonly [args: readonly string[], said: string])[] = [
      [['steady', '--overhead', '0.9'], 'an overhead is above 1'],
      [['steady', '--trace', broken], 'TRACE_INVALID'],
      [['steady', '--trace', join(folder, 'none')], 'TRACE_UNREADABLE'],
      [['steady', '--volumes', '0'], 'SIM_INVALID'],
      [['incident', '--share', '1'], 'SIM_INVALID'],
      [['incident', '--shape', 'odd'], 'severe'],
      [['what-if', broken], 'STATUS_INVALID'],
      [['what-if', join(folder, 'none')], 'STATUS_UNREADABLE'],
    ];
    const ended = await Promise.all(wrong.map(([args]) => sim(args)));
    for (const [i, { code, out, err }] of ended.entries()) {
      expect(code, err).not.toBe(EXIT.ok);
      expect(out).toBe('');
      expect(err).toContain(wrong[i]?.[1]);
      expect(err).not.toContain('    at ');
    }
  });

  it('shows progress and ends at once on Ctrl-C', async () => {
    const { code, signal, out, err } = await sim(['incident'], (child) => child.kill('SIGINT'));
    expect(err).toContain('simulating');
    expect(out).toBe('');
    expect([code, signal]).toEqual([null, 'SIGINT']);
  });
});
