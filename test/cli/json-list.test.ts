// Lists of a JSON document that are longer than what is held of them: the document is one all the same.
import { afterEach, expect, it, vi } from 'vitest';
import { JsonList } from '../../bin/commands/show/json-list.ts';

afterEach(() => vi.restoreAllMocks());

async function documentOf(values: readonly unknown[], rest: object): Promise<{ text: string; waits: number }> {
  const pieces: Buffer[] = [];
  let waits = 0;
  vi.spyOn(process.stdout, 'write').mockImplementation((piece) => {
    pieces.push(Buffer.from(piece as string | Buffer));
    waits += 1;
    queueMicrotask(() => process.stdout.emit('drain'));
    return false;
  });
  const list = new JsonList();
  for (const value of values) list.add(value);
  await list.answer(rest, 'objects');
  return { text: Buffer.concat(pieces).toString('utf8'), waits };
}

it('of any length it is the document that JSON.stringify makes', async () => {
  const object = (i: number) => ({ key: `ä "${i}" ${'\u2028'.repeat(i % 7)}`, size: i });
  for (const count of [0, 1, 20_000]) {
    const objects = Array.from({ length: count }, (_, i) => object(i));
    for (const rest of [{}, { next: 'ß', failed: [] }]) {
      const { text, waits } = await documentOf(objects, rest);
      expect(text === `${JSON.stringify({ ...rest, objects })}\n`, `${count}`).toBe(true);
      expect(waits > 2).toBe(count === 20_000);
    }
  }
});
