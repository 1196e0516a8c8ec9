// The model of a drive: random sequences of calls give the same answers as a Map of Maps.
import * as fc from 'fast-check';
import type { ByteRange, Drive, ZoneRef } from '../../lib/drive/drive.ts';
import { isPocketfulError } from '../../lib/foundation/errors.ts';

type Step =
  | { readonly do: 'append'; readonly at: number; readonly name: string; readonly parts: Uint8Array[] }
  | { readonly do: 'read'; readonly at: number; readonly name: string; readonly range: ByteRange | undefined }
  | { readonly do: 'list' | 'erase'; readonly at: number }
  | { readonly do: 'zones' };

const place = fc.integer({ min: 0, max: 3 });
const chunk = fc.constantFrom('0-1', '1-1', '1-2', 'dir-0', '-', 'z');
const range = fc.record({ offset: fc.nat({ max: 60 }), length: fc.nat({ max: 60 }) });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    do: fc.constant('append' as const),
    at: place,
    name: chunk,
    parts: fc.array(fc.uint8Array({ maxLength: 25 }), { maxLength: 3 }),
  }),
  fc.record({
    do: fc.constant('read' as const),
    at: place,
    name: chunk,
    range: fc.option(range, { nil: undefined }),
  }),
  fc.record({ do: fc.constantFrom('list' as const, 'erase' as const), at: place }),
  fc.constant({ do: 'zones' as const }),
);

/** Each run works on two zones of its own, in two generations each. */
export function driveModel(drive: () => Drive, freshZone: () => ZoneRef): fc.IAsyncProperty<[Step[]]> {
  return fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
    const [one, two] = [freshZone().zone, freshZone().zone];
    const refs = [one, two].flatMap((zone) => [0, 7].map((generation) => ({ zone, generation })));
    const model = refs.map(() => new Map<string, Uint8Array>());
    const outcome = (call: Promise<unknown>): Promise<unknown> =>
      call.catch((error: unknown) => (isPocketfulError(error) ? error.code : Promise.reject(error)));
    for (const s of steps) {
      const expected = expectedOf(s, model, refs);
      const actual = normal(await outcome(callOf(s, drive(), refs)), one);
      if (JSON.stringify(actual) !== JSON.stringify(normal(expected, one)))
        throw new Error(`${s.do}: got ${JSON.stringify(actual)}, expected ${JSON.stringify(normal(expected, one))}`);
    }
    for (const ref of refs) await drive().erase(ref);
  });
}

function callOf(s: Step, drive: Drive, refs: readonly ZoneRef[]): Promise<unknown> {
  switch (s.do) {
    case 'append':
      return drive.append(refs[s.at] as ZoneRef, s.name, s.parts);
    case 'read':
      return drive.read(refs[s.at] as ZoneRef, s.name, s.range);
    case 'list':
      return drive.list(refs[s.at] as ZoneRef);
    case 'erase':
      return drive.erase(refs[s.at] as ZoneRef);
    case 'zones':
      return drive.zones();
  }
}

function expectedOf(s: Step, model: Map<string, Uint8Array>[], refs: readonly ZoneRef[]): unknown {
  if (s.do === 'zones') return refs.filter((_, i) => (model[i] as Map<string, Uint8Array>).size > 0);
  const chunks = model[s.at] as Map<string, Uint8Array>;
  switch (s.do) {
    case 'append':
      if (chunks.has(s.name)) return 'CHUNK_EXISTS';
      chunks.set(s.name, Buffer.concat(s.parts));
      return undefined;
    case 'read': {
      const bytes = chunks.get(s.name);
      if (bytes === undefined) return 'CHUNK_MISSING';
      return s.range === undefined ? bytes : bytes.subarray(s.range.offset, s.range.offset + s.range.length);
    }
    case 'list':
      return [...chunks]
        .map(([name, { length }]) => ({ name, bytes: length }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    case 'erase':
      chunks.clear();
      return undefined;
  }
}

/** Bytes as hex, and of all zones only those this run made. */
function normal(value: unknown, firstZone: number): unknown {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  if (!Array.isArray(value)) return value ?? null;
  return value.filter((item) => !('zone' in item) || (item.zone >= firstZone && item.zone <= firstZone + 1));
}
