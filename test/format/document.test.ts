// docs/format.md against the fixtures: every row of its byte tables is a field of the golden bytes, and the other way round.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const DOCUMENT = readFileSync(new URL('../../docs/format.md', import.meta.url), 'utf8');

/** The cells of the table rows in a section. */
function rowsOf(heading: string): string[][] {
  const section = DOCUMENT.split(/^## /m).find((text) => text.startsWith(`${heading}\n`)) ?? '';
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  return rows.map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

/** Offset and length of every field, as noted beside the bytes. */
function fieldsOf(name: string): [offset: number, bytes: number][] {
  const text = readFileSync(new URL(`./golden/${name}.v1.hex`, import.meta.url), 'utf8');
  const fields: [number, number][] = [];
  for (const line of text.split('\n')) {
    const [, hex, offset] = /^([0-9a-f]+)(?: # (\d+) .*)?$/.exec(line) ?? [];
    if (hex === undefined) continue;
    const last = fields.at(-1);
    if (offset !== undefined) fields.push([Number(offset), hex.length / 2]);
    else if (last !== undefined) last[1] += hex.length / 2;
  }
  return fields;
}

describe('docs/format.md', () => {
  it.each([
    ['Record', 'record', 32],
    ['Chunk', 'chunk-xor-2-1-column-0', 256],
    ['Bucket directory', 'bucket-directory', 64],
    ['Directory pack', 'directory-pack', 64],
  ])('has the fields of "%s" as they are written', (heading, name, headerBytes) => {
    const documented = rowsOf(heading)
      .filter(([offset, bytes]) => /^\d+$/.test(offset ?? '') && /^\d+$/.test(bytes ?? ''))
      .map(([offset, bytes]) => [Number(offset), Number(bytes)]);
    const written = fieldsOf(name).filter(([offset]) => offset < headerBytes);
    expect(documented).toEqual(written);
    expect(written.at(-1)?.reduce((a, b) => a + b)).toBe(headerBytes);
  });

  it('has the fields of "Group directory" in the order they are written', () => {
    const documented = rowsOf('Group directory')
      .map(([bytes]) => Number(bytes))
      .filter((bytes) => bytes > 0);
    expect(documented).toEqual(
      fieldsOf('group-directory')
        .slice(0, documented.length)
        .map(([, bytes]) => bytes),
    );
    expect(documented.length).toBe(9);
  });

  it('has the heading that rows of Panda are written under', () => {
    expect(DOCUMENT).toContain('\n## Rows in Panda\n');
  });
});
