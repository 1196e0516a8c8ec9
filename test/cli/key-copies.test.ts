// Copies of the keys by command: what is printed, scanned or exported brings a lost keys.json back.
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeQR } from 'qr/decode.js';
import { beforeAll, describe, expect, it } from 'vitest';
import { qrOnTerminal } from '../../bin/commands/show/qr-code.ts';
import { pocketful } from './cli.ts';
import { temporaryFolder } from './temporary-folder.ts';

const cwd = temporaryFolder();
const STORE = ['--store', 'file:s'] as const;
const keysFile = join(cwd, 's/keys.json');
const PIXELS = 4;

async function ok(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await pocketful(cwd, [...STORE, ...args], {
    env: { POCKETFUL_PASSPHRASE: 'correct horse' },
  });
  expect(code, stderr).toBe(0);
  return stdout;
}

/** What a camera reads of an image whose dark modules are these. */
function scanned(side: number, isDark: (x: number, y: number) => boolean): string {
  const [width, height] = [side * PIXELS, side * PIXELS];
  const data = new Uint8Array(width * height * 4).fill(255);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (isDark(Math.floor(x / PIXELS), Math.floor(y / PIXELS)))
        data.fill(0, 4 * (y * width + x), 4 * (y * width + x) + 3);
  return decodeQR({ width, height, data }, { timeLimit: 10_000 });
}

function scannedSvg(svg: string): string {
  const side = Number(/viewBox="0 0 (\d+)/.exec(svg)?.[1]);
  const dark = new Set([...svg.matchAll(/M(\d+) (\d+)h1v1h-1z/g)].map(([, x, y]) => `${x} ${y}`));
  return scanned(side, (x, y) => dark.has(`${x} ${y}`));
}

let keys = '';

beforeAll(async () => {
  await ok('init', '--drives', '16', '--preset', 'demo', '--passphrase');
  for (let i = 0; i < 4; i++) await ok('keys', 'rotate');
  keys = readFileSync(keysFile, 'utf8');
});

async function expectBack(file: string, want = keys): Promise<void> {
  rmSync(keysFile);
  await ok('keys', 'import', file);
  expect(JSON.parse(readFileSync(keysFile, 'utf8'))).toEqual(JSON.parse(want));
  writeFileSync(keysFile, keys);
}

describe('copies of the keys', () => {
  it('init --passphrase has them under the passphrase at once, those of then', async () => {
    const { keys: ring, ...head } = JSON.parse(keys) as { keys: { key: string }[] };
    const [first] = ring;
    await expectBack('s/keys.json.export', JSON.stringify({ ...head, keys: [{ ...first, state: 'current' }] }));
    expect(readFileSync(join(cwd, 's/keys.json.export'), 'utf8')).not.toContain(first?.key);
  });

  it('init --passphrase without one makes no store', async () => {
    const { code, stderr } = await pocketful(cwd, ['--store', 'file:none', 'init', '--passphrase'], { inChild: true });
    expect(code).toBe(2);
    expect(stderr).toContain('PASSPHRASE_NEEDED');
    expect(() => statSync(join(cwd, 'none'))).toThrow();
  });

  it('an export comes back', async () => {
    await ok('keys', 'export', 'e');
    expect(statSync(join(cwd, 'e')).mode & 0o777).toBe(0o600);
    await expectBack('e');
  });

  it('of another store are not taken', async () => {
    await pocketful(cwd, ['--store', 'file:other', 'init', '--drives', '16', '--preset', 'demo']);
    rmSync(join(cwd, 'other/keys.json'));
    writeFileSync(join(cwd, 'ours'), await ok('keys', 'paper'));
    const { code, stderr } = await pocketful(cwd, ['--store', 'file:other', 'keys', 'import', 'ours']);
    expect(code).toBe(7);
    expect(stderr).toContain('KEK_WRONG');
    expect(() => statSync(join(cwd, 'other/keys.json'))).toThrow();
  });

  it('an empty passphrase is none', async () => {
    writeFileSync(join(cwd, 'no-passphrase'), '\nsecond line');
    const args = [...STORE, 'keys', 'export', 'never', '--passphrase-file', 'no-passphrase'];
    const { code, stderr } = await pocketful(cwd, args);
    expect(code).toBe(2);
    expect(stderr).toContain('first line of no-passphrase is empty');
  });

  it('the sheet, as it was printed into a file, comes back', async () => {
    writeFileSync(join(cwd, 'sheet'), await ok('keys', 'paper'));
    await expectBack('sheet');
  });

  it('its codes, scanned from the page, come back; a page is for its owner only, and replaces none', async () => {
    await ok('keys', 'paper', '--html', 'sheet.html');
    const page = readFileSync(join(cwd, 'sheet.html'), 'utf8');
    expect(statSync(join(cwd, 'sheet.html')).mode & 0o777).toBe(0o600);
    const codes = [...page.matchAll(/<svg.*?<\/svg>/g)].map(([svg]) => scannedSvg(svg));
    expect(codes.length).toBe(2);
    writeFileSync(join(cwd, 'scanned'), codes.join('\n'));
    await expectBack('scanned');
    expect((await pocketful(cwd, [...STORE, 'keys', 'paper', '--html', 'sheet.html'])).code).toBe(1);
  });

  it('a code on a terminal is scanned as well, of any number of rows', () => {
    for (const text of ['POCKETFUL KEYS 1', 'POCKETFUL KEYS 1/'.repeat(20)]) {
      const lines = qrOnTerminal(text)
        .split('\n')
        .map((line) => [...line.replace('\u001b[30;107m', '').replace('\u001b[0m', '')]);
      const isDark = (x: number, y: number): boolean =>
        (y % 2 === 0 ? '█▀' : '█▄').includes(lines[Math.floor(y / 2)]?.[x] ?? '?');
      expect(scanned(lines[0]?.length ?? 0, isDark)).toBe(text);
    }
  });
});
