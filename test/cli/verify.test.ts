// pocketful verify and watch: what is found, by name and exit code, and when it was looked for last.
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { json, pocketful } from './cli.ts';
import { temporaryFolder } from './temporary-folder.ts';

const cwd = temporaryFolder();
const STORE = ['--store', 'file:s'];
const random = new SeededRandomness(9);

interface Verified {
  level: string;
  done: boolean;
  findings: { severity: string; check: string; message: string }[];
  scrub: { objects: number; bytes: number; volumes: number; damage: { kind: string; volume: string }[] };
}
interface Watched {
  verifiers: { verifier: string; lastPass: { looked: number; findings: number } | null; progress: number | null }[];
  scrub: { volumes: number; never: { volumes: number }; due: { volumes: number } };
  damage: Record<string, number>;
}

const verify = (args: string[], code = 0): Promise<Verified> =>
  json<Verified>(cwd, [...STORE, 'verify', ...args], { code });
const watch = (): Promise<Watched> => json<Watched>(cwd, [...STORE, 'watch']);
const chunks = (): string[] =>
  readdirSync(join(cwd, 's/drives'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /^\d+-\d+$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));

beforeAll(async () => {
  await pocketful(cwd, ['init', ...STORE, '--preset', 'demo']);
  for (let i = 0; i < 5; i++) writeFileSync(join(cwd, `f${i}`), random.bytes(30_000));
  await pocketful(cwd, [...STORE, 'put', ...Array.from({ length: 5 }, (_, i) => `f${i}`)]);
});

describe('verify and watch', () => {
  it('say that nothing was verified yet, that nothing is due, and read everything when told', async () => {
    const before = await watch();
    expect(before.verifiers[0]).toMatchObject({ verifier: 'scrub', lastPass: null, progress: 0 });
    expect(before.scrub.never.volumes).toBe(before.scrub.volumes);
    expect((await pocketful(cwd, [...STORE, 'verify'])).stdout).toContain('held against the directories');
    const idle = await pocketful(cwd, [...STORE, 'verify']);
    expect(idle).toMatchObject({ code: 0 });
    expect(idle.stdout).toContain('nothing is due');
    const all = await verify(['--all']);
    expect(all).toMatchObject({ level: 'healthy', done: true, findings: [] });
    expect(all.scrub.objects).toBe(chunks().length);
    const after = await watch();
    expect(after.verifiers[0]).toMatchObject({ lastPass: { looked: all.scrub.objects, findings: 0 }, progress: 1 });
    expect(after.scrub.never.volumes).toBe(0);
    expect((await pocketful(cwd, [...STORE, 'watch'])).stdout).toContain('damaged objects: none is known');
  });

  it('name what is damaged, with exit code 8, and 6 where it is lost', async () => {
    const [first = ''] = chunks();
    const sound = readFileSync(first);
    const bytes = Buffer.from(sound);
    bytes[300] = (bytes[300] as number) ^ 1;
    writeFileSync(first, bytes);
    const found = await verify(['scrub', '--all'], 8);
    expect(found.scrub.damage).toMatchObject([{ kind: 'wrong' }]);
    expect(found.findings.map(({ severity, check }) => `${severity} ${check}`)).toEqual(['degraded wrong']);
    expect((await watch()).damage).toEqual({ wrong: 1 });
    writeFileSync(first, sound);
    // Of one volume alone: and what is sound again is taken back.
    const volume = found.scrub.damage[0]?.volume ?? '';
    expect(await verify([volume])).toMatchObject({ level: 'healthy', scrub: { volumes: 1 } });
    expect((await watch()).damage).toEqual({});
    const name = first.split('/').slice(-1)[0] as string;
    for (const path of chunks().filter((path) => path.endsWith(`/${name}`))) rmSync(path);
    expect((await verify(['--all'], 6)).level).toBe('wrong');
    expect((await pocketful(cwd, [...STORE, 'verify', '--all'])).stdout).toContain('DAMAGED');
  });

  it('doctor --durability prints a sheet with its assumptions and its seed, and looks at nothing', async () => {
    const sheet = await json<{ isPromise: boolean; rows: { codec: string; meanYearsToLoss: number }[] }>(cwd, [
      'doctor',
      '--durability',
      '--repair-hours',
      '24',
    ]);
    expect(sheet).toMatchObject({ isPromise: false, seed: 1, assumptions: { repairHours: 24, scrubDays: 14 } });
    expect(sheet.rows.length).toBeGreaterThan(10);
    const { code, stdout } = await pocketful(cwd, ['doctor', '--durability', '--seed', '5']);
    expect(code).toBe(0);
    expect(stdout).toContain('A model, not a promise');
    expect(stdout).toContain('seed 5');
    expect((await pocketful(cwd, ['doctor', '--durability', '--scrub-days', '0'])).code).toBe(2);
  });

  it('refuse a name that is no verifier', async () => {
    expect(await pocketful(cwd, [...STORE, 'verify', 'everything'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('VERIFIER_UNKNOWN'),
    });
  });
});
