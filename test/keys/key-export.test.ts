// Copies of keys: under a passphrase, and on paper; what is wrong in them is refused.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isPocketfulError } from '../../lib/foundation/errors.ts';
import { storeId } from '../../lib/foundation/ids.ts';
import { SeededRandomness } from '../../lib/foundation/randomness.ts';
import { type ExportedKeys, exportKeys, importKeys, paperOf } from '../../lib/keys/key-export.ts';
import { withNextVersion, withoutMaterial } from '../../lib/keys/key-ring.ts';

const random = new SeededRandomness(1);
const three = [1, 2, 3].reduce(
  (ring, at) => withNextVersion(ring, Buffer.from(random.bytes(32)), at * 1000),
  [] as ExportedKeys['ring'],
);
const KEYS: ExportedKeys = { storeId: storeId('0123456789abcdef0123456789abcdef'), ring: withoutMaterial(three, 1) };
const never = (): string => {
  throw new Error('nobody is asked');
};

/** As they were first written. Never edit: who has such a file, or such a sheet, has nothing else. */
const OLD: ExportedKeys = {
  storeId: KEYS.storeId,
  ring: [
    { version: 1, createdAtMs: 1_767_225_600_000, state: 'destroyed' },
    { version: 2, createdAtMs: 1_767_225_600_001, state: 'previous', material: Buffer.alloc(32, 0xa2) },
    { version: 3, createdAtMs: 1_767_225_600_002, state: 'current', material: Buffer.alloc(32, 0xb3) },
  ],
};
const golden = (name: string): string => readFileSync(new URL(`golden/${name}`, import.meta.url), 'utf8');

describe('copies of old', () => {
  it('are opened, and made so again', () => {
    expect(importKeys('f', golden('export.v1.json'), () => 'caf\u00e9 au lait')).toEqual(OLD);
    expect(exportKeys(OLD, 'caf\u00e9 au lait', new SeededRandomness(1), 2 ** 14)).toBe(golden('export.v1.json'));
    expect(importKeys('f', golden('sheet.v1.txt'), never)).toEqual(OLD);
    expect(paperOf(OLD)).toBe(golden('sheet.v1.txt'));
  });

  it('with anything wrong in them are refused', () => {
    const text = golden('export.v1.json');
    for (let seed = 0; seed < 15; seed++) {
      const at = new SeededRandomness(seed).below(text.length);
      const wrong = `${text.slice(0, at)}${text[at] === '1' ? '2' : '1'}${text.slice(at + 1)}`;
      const opened = () => importKeys('f', wrong, () => 'caf\u00e9 au lait');
      // White space between the members says nothing.
      if (/^\s*$/.test(text[at] ?? '')) continue;
      expect(opened, `seed ${seed}`).toThrow(expect.toSatisfy(isPocketfulError));
    }
  });
});

describe('exported keys', () => {
  it('come back with the passphrase, and with no other', () => {
    const text = exportKeys(KEYS, 'caf\u00e9 au lait', random, 2 ** 14);
    expect(importKeys('f', text, () => 'cafe\u0301 au lait')).toEqual(KEYS); // the same text, typed elsewhere
    expect(() => importKeys('f', text, () => 'tea')).toThrow(expect.objectContaining({ code: 'PASSPHRASE_WRONG' }));
    const other = text.replace('0123456789abcdef', '1123456789abcdef');
    expect(() => importKeys('f', other, () => 'caf\u00e9 au lait')).toThrow(
      expect.objectContaining({ code: 'PASSPHRASE_WRONG' }),
    );
    for (const { material } of KEYS.ring)
      if (material !== undefined) expect(text).not.toContain(Buffer.from(material).toString('hex'));
  });

  it('that are none are refused', () => {
    for (const text of ['', '{}', 'POCKETFUL', '{"format":"pocketful-keys"}'])
      expect(() => importKeys('f', text, never)).toThrow(expect.objectContaining({ code: 'KEYS_UNREADABLE' }));
  });
});

describe('a recovery sheet', () => {
  it('is typed in again, in capitals and with other spaces', () => {
    expect(importKeys('f', paperOf(KEYS), never)).toEqual(KEYS);
    const typed = paperOf(KEYS)
      .split('\n')
      .map((line) => ` ${line.toUpperCase().replaceAll(' ', '  ')}`)
      .join('\r\n')
      .replace(/POCKETFUL\s+KEYS\s+1/, 'POCKETFUL KEYS 1');
    expect(importKeys('f', typed, never)).toEqual(KEYS);
  });

  it('with any digit wrong, or a line missing, is refused', () => {
    const sheet = paperOf(KEYS);
    const first = sheet.indexOf('\n') + 1;
    for (let at = first; at < sheet.length; at++) {
      if (!/[0-9a-f]/.test(sheet[at] as string)) continue;
      const wrong = `${sheet.slice(0, at)}${sheet[at] === '7' ? '8' : '7'}${sheet.slice(at + 1)}`;
      expect(() => importKeys('f', wrong, never), `digit ${at}`).toThrow(
        expect.objectContaining({ code: 'KEYS_UNREADABLE' }),
      );
    }
    const lines = sheet.trimEnd().split('\n');
    for (const missing of [1, 2, 3])
      expect(() => importKeys('f', lines.toSpliced(missing, 1).join('\n'), never)).toThrow(/f/);
  });
});
