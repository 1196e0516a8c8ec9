// RETIRE (lib/gc/retire-kek.ts) against writers with that KEK version in their cache, every interleaving: once the version is destroyed no
// block is wrapped by it, and none can be.
import { describe, expect, it } from 'vitest';
import type { VolumeId } from '../../lib/foundation/ids.ts';
import type { Key, Write } from '../../lib/panda/panda.ts';
import { retiringKek, retiringKey } from '../../lib/panda/rows/retiring-kek-row.ts';
import { volumeKey } from '../../lib/panda/rows/volume-row.ts';
import { settledWrite } from '../../lib/volume/steps/recover-steps.ts';
import { leaseWrite } from '../../lib/volume/steps/volume-steps.ts';
import { type Rows, rowAt, transacted } from './rows.ts';
import { searchModel } from './search.ts';

const CELL = 'c';
const VOLUMES = ['00', '01'] as VolumeId[];
type Fault = 'leases from before go on' | 'writers do not look' | 'a writer looks before it leases' | 'no';

/** A writer works on a volume of its own choice; the second one may be made after the retirer has listed the volumes. */
interface Writer {
  readonly at: 'idle' | 'looked' | 'leased' | 'looked and leased' | 'committed' | 'done' | 'refused';
  readonly volume: number;
  readonly token: number;
}
interface Retirer {
  readonly at: 'idle' | 'put' | 'ending' | 'ended' | 'destroyed';
  /** Volumes whose lease is still to be ended, with the token that was read. */
  readonly todo: readonly (readonly [volume: number, token: number])[];
}
interface State {
  readonly rows: Rows;
  readonly writers: readonly Writer[];
  readonly retirer: Retirer;
}

const block = (number: number): Key => ({ partition: 'block', sort: String(number) });
const keyOf = (volume: number): Key => volumeKey(CELL, VOLUMES[volume] as VolumeId);
const attribute = (rows: Rows, volume: number, name: string): number | string | undefined =>
  rowAt(rows, keyOf(volume))?.attributes[name] as number | string | undefined;
const make = (volume: number): Write => ({
  kind: 'put',
  ...keyOf(volume),
  attributes: { s: 'open', t: 0, n: 1 },
  if: ['absent'],
});
const START: State = {
  rows: transacted([], [make(0)]) as Rows,
  writers: [0, 1].map(() => ({ at: 'idle', volume: 0, token: 0 })),
  retirer: { at: 'idle', todo: [] },
};
const lease = (rows: Rows, volume: number): Rows | undefined => {
  const token = attribute(rows, volume, 't');
  if (token === undefined) return undefined;
  return transacted(rows, [leaseWrite(CELL, { id: VOLUMES[volume] as VolumeId, token: token as number }, 'w', 1)]);
};

function writerSteps(state: State, number: number, fault: Fault): { name: string; next: State }[] {
  const writer = state.writers[number] as Writer;
  const isRetiring = rowAt(state.rows, retiringKey(1)) !== undefined;
  const step = (name: string, next: Partial<Writer>, rows: Rows | undefined = state.rows) =>
    rows === undefined
      ? []
      : [
          {
            name: `writer ${number} ${name}`,
            next: { ...state, rows, writers: state.writers.with(number, { ...writer, ...next }) },
          },
        ];
  const leases = (at: Writer['at']) =>
    [0, 1].flatMap((volume) => {
      const rows = lease(state.rows, volume);
      return step('leases', { at, volume, token: Number(attribute(rows ?? [], volume, 't')) }, rows);
    });
  const id = { id: VOLUMES[writer.volume] as VolumeId };
  const held = (attributes: Record<string, number>): Write['if'] =>
    Object.entries(attributes).map(([name, equals]) => ({ attribute: name, equals }));
  switch (writer.at) {
    case 'idle': {
      const makes = transacted(state.rows, [make(1)]);
      const others = step('makes a volume', {}, makes);
      if (fault === 'a writer looks before it leases')
        return [...others, ...step('looks', { at: isRetiring ? 'refused' : 'looked' })];
      return [...others, ...leases('leased')];
    }
    case 'looked':
      return leases('looked and leased');
    case 'leased': {
      const seen = isRetiring && fault !== 'writers do not look';
      return step('looks', { at: seen ? 'refused' : 'looked and leased' });
    }
    case 'looked and leased': {
      const n = Number(attribute(state.rows, writer.volume, 'n'));
      const commit = { set: { n: n + 1, p: writer.token }, if: held({ t: writer.token }) as [] };
      const rows = transacted(state.rows, [{ kind: 'update', ...keyOf(writer.volume), ...commit }]);
      return step('commits', { at: 'committed' }, rows);
    }
    case 'committed': {
      const check: Write = {
        kind: 'check',
        ...keyOf(writer.volume),
        if: held({ t: writer.token, p: writer.token }) as [],
      };
      const rows = transacted(state.rows, [check, { kind: 'put', ...block(number), attributes: { k: 1 } }]);
      const done = rows && transacted(rows, [settledWrite(CELL, id, writer.token, writer.token, true)]);
      return step('indexes', { at: 'done' }, done);
    }
    default:
      return [];
  }
}

function retirerSteps(state: State, fault: Fault): { name: string; next: State }[] {
  const { retirer } = state;
  const step = (name: string, next: Partial<Retirer>, rows = state.rows) => [
    { name: `retirer ${name}`, next: { ...state, rows, retirer: { ...retirer, ...next } } },
  ];
  switch (retirer.at) {
    case 'idle':
      return step('puts the row', { at: 'put' }, transacted(state.rows, [retiringKek(1)]));
    case 'put': {
      const held = [0, 1].filter((volume) => attribute(state.rows, volume, 'o') ?? attribute(state.rows, volume, 'p'));
      const todo = held.map((volume) => [volume, Number(attribute(state.rows, volume, 't'))] as const);
      return step('lists', { at: 'ending', todo: fault === 'leases from before go on' ? [] : todo });
    }
    case 'ending': {
      const [first, ...todo] = retirer.todo;
      if (first === undefined) return step('has ended all', { at: 'ended' });
      const [volume, token] = first;
      if (attribute(state.rows, volume, 't') !== token) return step('finds another token', { todo });
      const leased = lease(state.rows, volume) as Rows;
      const pending = attribute(leased, volume, 'p');
      const id = { id: VOLUMES[volume] as VolumeId };
      const free = pending && transacted(leased, [settledWrite(CELL, id, token + 1, Number(pending), true)]);
      return step('ends a lease', { todo }, free || leased);
    }
    case 'ended': {
      const isUsed = [0, 1].some((number) => rowAt(state.rows, block(number)) !== undefined);
      return isUsed ? [] : step('destroys', { at: 'destroyed' });
    }
    default:
      return [];
  }
}

const violationOf = ({ retirer, rows }: State): string | undefined =>
  retirer.at === 'destroyed' && [0, 1].some((number) => rowAt(rows, block(number)) !== undefined)
    ? 'a block is wrapped by a destroyed key'
    : undefined;

const searched = (fault: Fault) =>
  searchModel<State>({
    start: START,
    stepsOf: (state) => [
      ...[0, 1].flatMap((number) => writerSteps(state, number, fault)),
      ...retirerSteps(state, fault),
    ],
    violationOf,
  });

describe('retiring a KEK', () => {
  it('leaves no block under it, whoever writes', () => {
    const found = searched('no');
    expect(found.trace).toEqual([]);
    expect(found.states).toBeGreaterThan(500);
  });

  it.each(['leases from before go on', 'writers do not look', 'a writer looks before it leases'] as const)(
    'does not if %s',
    (fault) => {
      expect(searched(fault).violation).toBe('a block is wrapped by a destroyed key');
    },
  );
});
