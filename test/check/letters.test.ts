// The rule on letters of attributes, on planted violations and on what it must let pass.
import { describe, expect, it } from 'vitest';
import { letterFaults } from './letters.ts';

const found = (text: string, path = 'lib/volume/a.ts'): string[] =>
  letterFaults([{ path, text }]).map(({ line, message }) => `${line} ${message.split(':')[0]}`);

describe('attribute letters', () => {
  it.each([
    [`const held = { attribute: 't', equals: token } as const;`, 'a condition on a letter'],
    [`const held = { attribute: name, missing: true };`, 'a condition on a letter'],
    [`write({ kind: 'update', ...key, set: { s: 'open' } });`, 'set with letters'],
    [`write({ kind: 'update', ...key, add: { 'l': -bytes } });`, 'add with letters'],
    [`write({ kind: 'update', ...key, remove: ['o', 'e'] });`, 'remove with letters'],
    [`write({ kind: 'update', ...key, insert: { b: [id] } });`, 'insert with letters'],
    [`const change: Change = { discard: { b: [id] } };`, 'discard with letters'],
    [`write({ kind: 'put', ...key, attributes: { v: 1 }, if: ['absent'] });`, 'attributes with letters'],
    [`const row = { ...key, attributes: { ...rest, v: 1 } };`, 'attributes with letters'],
    [`const generation = row.attributes['g'];`, 'an attribute read by its letter'],
    [`const generation = (await panda.get(key))?.attributes['g'];`, 'an attribute read by its letter'],
    [`const at = countIn(row, 'a');`, 'an attribute read by its letter'],
    [`const at = optionalString(row, 'o');`, 'an attribute read by its letter'],
  ])('finds %s', (text, message) => {
    expect(found(`\n${text}`)).toEqual([`2 ${message}`]);
  });

  it.each([
    [`write({ kind: 'update', ...key, ...giveLease(token), if: [tokenIs(token), 'exists'] });`],
    [`write({ kind: 'put', ...key, attributes: blockAttributes(block), if: ['absent'] });`],
    [`const set = [...chosen]; used[set[0]] = 1; const all = { set, remove: [], attributes: {} };`],
    [`const seen = new Set(['a']); counts['a'] = countIn(row, name); const text = "{ attribute: 't' }";`],
  ])('lets pass %s', (text) => {
    expect(found(text)).toEqual([]);
  });

  it('lets the modules of rows name them, and tests', () => {
    const text = `const held = { attribute: 't', equals: 1 };`;
    const paths = [
      'lib/panda/rows/zone-row.ts',
      'lib/compaction/run/journal-row.ts',
      'lib/compaction/threshold/row.ts',
    ];
    for (const path of [...paths, 'test/a.test.ts']) expect(found(text, path)).toEqual([]);
    for (const path of ['lib/volume/arrow.ts', 'functions/gc/handler.ts', 'bin/pocketful.ts'])
      expect(found(text, path)).toHaveLength(1);
  });
});
