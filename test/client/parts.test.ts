// Cutting a stream into parts: nothing is lost, added or reordered, and every part but the last has the length asked for.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cutAt } from '../../lib/client/parts.ts';

describe('cutAt', () => {
  it('keeps the bytes and makes parts of one length', async () => {
    const stream = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(stream, fc.integer({ min: 1, max: 50 }), async (pieces, partBytes) => {
        const parts: Uint8Array[] = [];
        for await (const part of cutAt(pieces, partBytes)) parts.push(part);
        expect(Buffer.concat(parts)).toEqual(Buffer.concat(pieces));
        for (const part of parts.slice(0, -1)) expect(part.byteLength).toBe(partBytes);
        expect(parts.every((part) => part.byteLength > 0 && part.byteLength <= partBytes)).toBe(true);
      }),
    );
  });
});
