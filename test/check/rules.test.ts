// The other rules of `npm run check` on planted violations, and on what they must let pass.
import { describe, expect, it } from 'vitest';
import { boundFaults } from './bounds.ts';
import { linkFaults } from './links.ts';
import { lockFaults, nameFaults, switchFaults, traceFaults } from './repository.ts';
import { sizeFaults } from './sizes.ts';
import type { Fault, SourceFile } from './source-file.ts';

const shown = (faults: readonly Fault[]): string[] =>
  faults.map(({ path, line, message, isWarning }) => `${isWarning ? 'warning ' : ''}${path}:${line} ${message}`);
const file = (path: string, text: string): SourceFile => ({ path, text });
const lines = (count: number, text = ''): string => `${text}\n`.repeat(count);

describe('folders', () => {
  const beside = (folder: string, count: number): string[] =>
    shown(sizeFaults(Array.from({ length: count }, (_, i) => file(`${folder}/${i}.ts`, ''))));

  it('hold twenty files of the product, and as many tests as there are', () => {
    expect(beside('lib/a', 20)).toEqual([]);
    expect(beside('lib/a', 21)).toEqual(['lib/a:0 21 files (limit 20)']);
    expect(beside('test/a', 21)).toEqual([]);
  });
});

describe('sizes', () => {
  const sizes = (path: string, text: string): string[] => shown(sizeFaults([file(path, text)]));

  it('warns over the aim and fails over the limit', () => {
    expect(sizes('lib/a.ts', lines(300))).toEqual([]);
    expect(sizes('lib/a.ts', lines(301))).toEqual(['warning lib/a.ts:0 301 lines: split it (aim 300)']);
    expect(sizes('lib/a.ts', lines(401))).toEqual(['lib/a.ts:0 401 lines: split it (aim 300)']);
    expect(sizes('test/a.test.ts', lines(400))).toEqual([]);
    expect(sizes('test/a.test.ts', lines(701))).toEqual(['test/a.test.ts:0 701 lines: split it (aim 400)']);
    expect(sizes('docs/a.md', lines(5000))).toEqual([]);
  });

  it('holds comments to the width of the code', () => {
    const wide = `// ${'x'.repeat(118)}\n`;
    expect(sizes('lib/a.ts', wide)).toEqual(['lib/a.ts:1 a comment of 121 columns (limit 120)']);
    expect(sizes('lib/a.ts', wide.replace('x', ''))).toEqual([]);
    expect(sizes('test/a.ts', wide)).toEqual([]);
  });

  it.each([
    ['function f() {', '}'],
    ['const f = async () => {', '};'],
    ['class C { m() {', '} }'],
  ])('measures %s', (head, tail) => {
    const code = (count: number): string => `\n${head}\n${lines(count - 2, '  g();')}${tail}\n`;
    expect(sizes('lib/a.ts', code(70))).toEqual([]);
    expect(sizes('lib/a.ts', code(71))).toEqual(['warning lib/a.ts:2 a function of 71 lines (aim 70)']);
    expect(sizes('lib/a.ts', code(101))).toEqual(['lib/a.ts:2 a function of 101 lines (aim 70)']);
    expect(sizes('test/a.ts', code(101))).toEqual([]);
  });
});

describe('names', () => {
  it.each(['lib/utils/a.ts', 'lib/volume/common.ts', 'lib/volume/lease-manager.ts', 'test/helpers.ts', 'docs/misc.md'])(
    'refuses %s',
    (path) => {
      expect(nameFaults([file(path, '')])).toHaveLength(1);
    },
  );
  it('lets names pass that say something', () => {
    expect(nameFaults([file('lib/volume/commit-group.ts', ''), file('lib/foundation/assert.ts', '')])).toEqual([]);
  });
});

describe('tests switched off', () => {
  const switches = (text: string, path = 'test/a.test.ts'): string[] => shown(switchFaults([file(path, text)]));

  it.each(['it.only', 'it.skip', 'describe.only', 'test.todo', 'describe.skip.each', 'it.concurrent.only', 'it.fails'])(
    'finds %s',
    (call) => {
      const found = switches(`\n${call}('x', () => {});`);
      expect(found).toEqual([`test/a.test.ts:2 ${call.replace('.each', '')}: no test is switched off`]);
    },
  );
  it('lets the rest pass', () => {
    const text = `it('only.skip', () => {}); it.each([1])('x', () => {}); it.runIf(a)('y', () => {}); // it.only\nlist.skip(3);`;
    expect(switches(text)).toEqual([]);
    expect(switches(`it.only('x')`, 'lib/a.ts')).toEqual([]);
  });
});

describe('traces', () => {
  it.each([
    [`https://registry.npmjs.${'org'}/x`, 'a registry host'],
    [`cd /${'home'}/somebody/project`, 'a path of one machine'],
    [`const p = '/${'root'}/.cache';`, 'a path of one machine'],
    [`-----BEGIN ${'EC '}PRIVATE KEY-----`, 'a private key'],
    [`AKIA${'ABCDEFGHIJKLMNOP'}`, 'an AWS access key'],
  ])('finds %s', (text, what) => {
    const found = shown(traceFaults([file('docs/a.md', `one\n${text}\n`)]));
    expect(found).toHaveLength(1);
    expect(found[0]).toContain(`docs/a.md:2 ${what}`);
  });
  it('lets ordinary paths and addresses pass', () => {
    const text = 'see https://nodejs.org/home/x, lib/home/a, ~/work, /tmp/x, $HOME/root/y and /work/';
    expect(traceFaults([file('docs/a.md', text)])).toEqual([]);
  });
});

describe('lockfile', () => {
  const manifest = { dependencies: { a: '1.0.0' }, optionalDependencies: { b: '1.0.0' } };
  const packages = {
    '': manifest,
    'node_modules/a': { version: '1.0.0', optionalDependencies: { 'a-linux': '1.0.0', 'a-nested': '2.0.0' } },
    'node_modules/a/node_modules/a-nested': { version: '2.0.0' },
    'node_modules/a-linux': { version: '1.0.0' },
    'node_modules/b': { version: '1.0.0' },
  };
  const faults = (locked: object, wanted: object = manifest): string[] =>
    lockFaults([
      file('package-lock.json', JSON.stringify({ packages: locked })),
      file('package.json', JSON.stringify(wanted)),
    ]).map(({ message }) => message);

  it('lets a complete one pass', () => {
    expect(faults(packages)).toEqual([]);
  });
  it('finds addresses, missing platform packages and a package.json that went on without it', () => {
    const { 'node_modules/a-linux': _, ...incomplete } = packages;
    expect(faults(incomplete)[0]).toMatch(/^a-linux, optional for node_modules\/a, is missing/);
    const addressed = { ...packages, 'node_modules/b': { version: '1.0.0', resolved: 'https://somewhere/b.tgz' } };
    expect(faults(addressed)[0]).toMatch(/^node_modules\/b has a "resolved" address/);
    expect(faults(packages, { ...manifest, dependencies: { a: '1.0.1' } })[0]).toMatch(
      /^its dependencies are not those/,
    );
  });
});

describe('links', () => {
  const page = `# The Title\n## A \`b\` & c!\n## Twice\n## Twice\n`;
  const links = (text: string): string[] =>
    linkFaults([file('docs/a.md', text), file('docs/b.md', page), file('lib/x/y.ts', '')], ['docs/c.svg']).map(
      ({ line, message }) => `${line}: ${message}`,
    );

  it.each([
    ['[x](missing.md)', 'missing.md leads to docs/missing.md, which is not there'],
    ['![x](d.svg)', 'd.svg leads to docs/d.svg, which is not there'],
    ['[x](b.md#nowhere)', 'b.md#nowhere: no heading of docs/b.md gives #nowhere'],
    ['[x](#nowhere)', '#nowhere: no heading of docs/a.md gives #nowhere'],
    ['[x](../lib/z)', '../lib/z leads to lib/z, which is not there'],
  ])('finds %s', (text, message) => {
    expect(links(`one\n${text}\n`)).toEqual([`2: ${message}`]);
  });
  it('lets good links, addresses and code pass', () => {
    const good =
      '[a](b.md) [b](b.md#a-b--c) [c](b.md#twice-1) ![d](c.svg) [e](../lib/x/) [f](../lib/x/y.ts "t") [g](..)';
    const others = '[h](https://example.com/x) [i](mailto:a@b.c) `[j](no.md)`\n```\n[k](no.md)\n```\n';
    expect(links(`${good} ${others}`)).toEqual([]);
  });
});

describe('bounds', () => {
  const bounds = (path: string, text: string): string[] => shown(boundFaults([file(path, text)]));

  it.each([
    'const ATTEMPTS_MAX = 20;',
    'export const KEYS_AT_ONCE = 100;',
    'const READ_ATTEMPTS = 2 * 3;',
    'const ROWS_PER_TRANSACTION = 50;',
    'const WAIT_MS = 5 * SECOND_MS;',
    'const A = 1, BYTES_MAX = Math.min(A, 7);',
    'const RUNS_MAX = OTHER_MAX;',
  ])('refuses %s outside lib/limits', (text) => {
    const [, name] = /(\w+) = [^=]*;$/.exec(text) as RegExpExecArray;
    const message = `${name} is a bound: it belongs into lib/limits, with its reason`;
    expect(bounds('lib/volume/a.ts', `\n${text}\n`)).toEqual([`lib/volume/a.ts:2 ${message}`]);
    expect(bounds('functions/a/handler.ts', text)).toHaveLength(1);
    expect(bounds('lib/limits/volume.ts', text)).toEqual([]);
    expect(bounds('test/a.test.ts', text)).toEqual([]);
  });

  it('lets other constants pass', () => {
    const text = [
      'const BACK_OFF_MS: Readonly<Record<string, number>> = { A: 500 };',
      'const CACHE_MAX = new Cache(LENGTHS_MAX);',
      'const NS_PER_MS = 1_000_000n;',
      'const HEADER_BYTES = 64;',
      "const NAME_MAX = 'x';",
      'function f() { const rowsMax = 3; const WAIT_MS = 4; }',
    ];
    expect(bounds('lib/volume/a.ts', text.join('\n'))).toEqual([]);
    expect(bounds('lib/format/wire.ts', 'export const U32_MAX = 0xffff_ffff;')).toEqual([]);
  });
});
