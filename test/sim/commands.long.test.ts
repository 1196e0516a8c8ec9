// `pocketful sim …` as its user sees it: one JSON document, one self-contained page, the same for the same seed; bad input in one
// line; Ctrl-C at once.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../bin/commands/exit-codes.ts';
import { pocketful, type Ran } from '../cli/cli.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pocketful-sim-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const sim = (...args: string[]): Promise<Ran> => pocketful(folder, ['sim', ...args]);

describe('sim', () => {
  it('answers with one document and a page, the same for the same seed and others for others', async () => {
    const page = join(folder, 'steady.html');
    const args = ['steady', '--volumes', '30', '--overhead', '1.3', '--deletes', '80/20', '--json'];
    const one = await pocketful(folder, ['sim', ...args, '--html', page], { inChild: true });
    expect(one.code).toBe(EXIT.ok);
    expect(JSON.parse(one.stdout).points[0].overhead).toBeCloseTo(1.3, 1);
    expect((await sim(...args)).stdout).toBe(one.stdout);
    expect((await sim(...args, '--seed', '7')).stdout).not.toBe(one.stdout);
    const html = await readFile(page, 'utf8');
    expect(html).not.toMatch(/https?:|<script|<link|@import|url\(/);
    expect(html).toContain('<svg');
    const again = await sim(...args, '--html', page);
    expect(again.code).toBe(EXIT.failed);
    expect(again.stderr).toContain('FILE_EXISTS');
    expect((await sim(...args, '--html', page, '--overwrite')).code).toBe(EXIT.ok);
  });

  it('lives a trace, and plans a store out of its status', async () => {
    const trace = join(folder, 'trace.csv');
    const status = join(folder, 'status.json');
    await writeFile(trace, Array.from({ length: 40 }, (_, day) => `${day},0.03,0.03`).join('\n'));
    await writeFile(status, JSON.stringify({ storeId: 's', preset: 'demo', volumes: [] }));
    const lived = await sim('steady', '--volumes', '30', '--overhead', '1.3', '--trace', trace);
    expect(lived).toMatchObject({ code: EXIT.ok, stderr: '' });
    expect(lived.stdout).toContain('trace.csv');
    expect((await sim('what-if', status)).stdout).toContain('0 sealed volumes of s');
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
    for (const [args, said] of wrong) {
      const { code, stdout, stderr } = await sim(...args);
      expect(code, stderr).not.toBe(EXIT.ok);
      expect(stdout).toBe('');
      expect(stderr).toContain(said);
      expect(stderr).not.toContain('    at ');
    }
  });

  it('shows progress and ends at once on Ctrl-C', async () => {
    const { code, signal, stdout, stderr } = await pocketful(folder, ['sim', 'incident'], {
      onStart: (child) => child.stderr?.once('data', () => child.kill('SIGINT')),
    });
    expect(stderr).toContain('simulating');
    expect(stdout).toBe('');
    expect([code, signal]).toEqual([null, 'SIGINT']);
  });
});
