// As use-cases.test.ts, many more sequences.
import { describe, it } from 'vitest';
import { expectAsMap, READS } from './as-map.ts';

describe('put, get, delete and list', () => {
  it.each(READS)('agree with a Map, and the rows with a recount, after any sequence, reads %s', (reads) =>
    expectAsMap(reads, 200),
  );
});
