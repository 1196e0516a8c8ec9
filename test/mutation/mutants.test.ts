// Mutants are to be where a meaning is, and a file that has them all must be what it was while none is on.
import { stripTypeScriptTypes } from 'node:module';
import { afterEach, describe, expect, it } from 'vitest';
import { instrumented } from './instrument.ts';
import { mutantsOf, nameOf } from './mutants.ts';
import { Switches } from './switches.ts';

const namesOf = (text: string): readonly string[] => mutantsOf(text).map((mutant) => nameOf(text, mutant));

describe('mutants', () => {
  it.each([
    [
      '(a < 1 && b)',
      ['clause: a < 1 && b -> a < 1', 'clause: a < 1 && b -> b', 'boundary: a < 1 -> a <= 1', 'constant: 1 -> 0'],
    ],
    ['!a', ['negation: !a -> a']],
    ['a === b', ['equality: a === b -> a !== b']],
    ['a ?? b', ['default: a ?? b -> b', 'default: a ?? b -> a']],
    // What an index finds is there, whatever the types say.
    ['a[2] ?? b', ['default: a[2] ?? b -> b']],
    ['a + b', ['arithmetic: a + b -> a - b']],
    ["a + ' is text'", []],
    ['a.some(b)', ['method: a.some(b) -> a.every(b)']],
    ['a.toString(b)', []],
    ['a.filter(b)', ['whole list: a.filter(b) -> a']],
    ['a?.filter(b).length', []],
    ['[a, ...b]', ['element: [a, ...b] -> [...b]', 'element: [a, ...b] -> [a]']],
    ["({ remove: ['o', 'e'] })", ["element: ['o', 'e'] -> ['e']", "element: ['o', 'e'] -> ['o']"]],
    ['({ set: { a, b } })', ['entry of a write: { a, b } -> {b}', 'entry of a write: { a, b } -> {a}']],
  ])('of %s', (expression, expected) => {
    expect(namesOf(`const f = (a, b) => ${expression};`)).toEqual(expected);
  });

  it('of statements: without them, and without all but the first', () => {
    expect(namesOf('function f(a) { a.b(); if (a) c = 2; }')).toEqual([
      'return: { a.b(); if (a) c = 2; } -> return',
      'call: a.b() -> undefined',
      'condition: a -> true',
      'condition: a -> false',
      'assignment: c = 2 -> undefined',
    ]);
  });

  it('are none of what guards, of errors, of types and of what is done once', () => {
    expect(
      namesOf('const LIMIT = 1; function f(a: 0 | 1) { assert(a === 1); throw new TypeError(String(a + 1)); }'),
    ).toEqual(['return: { assert(a === 1); throw new TypeError(String(a + 1)); } -> return']);
  });

  it('are none of what a module does while it is loaded, in functions that it calls then as well', () => {
    expect(namesOf('const F = [1].map((a) => a + 1); const g = (a) => a.map((b) => !b);')).toEqual([
      'negation: !b -> b',
    ]);
    expect(namesOf('const P = text.refine((a) => !a);')).toEqual(['negation: !a -> a']);
  });

  it('have the line they are in', () => {
    expect(mutantsOf('const f = (a) =>\n  // no\n  !a;').map(({ line }) => line)).toEqual([3]);
  });
});

describe('a file with its mutants', () => {
  const text =
    'globalThis.__tried = (a: number, b = 1): number => { if (a < b && b !== 0) return a + b; return [a, b].length * 5; };';
  const place = globalThis as unknown as { __tried: (a: number, b?: number) => number };
  const switches = new Switches();

  afterEach(() => {
    globalThis.__mutation = undefined;
    Reflect.deleteProperty(place, '__tried');
  });

  function load(): void {
    globalThis.__mutation = switches;
    new Function(stripTypeScriptTypes(instrumented('file.ts', text, mutantsOf(text))))();
  }

  it('is what it was while none is on, and something else under each', () => {
    load();
    const results = () => [[0], [3], [1, 0], [-2, 0], [2, 2], [3, 3], [5, 7]].map(([a = 0, b]) => place.__tried(a, b));
    const without = results();
    expect(without).toEqual([1, 10, 10, 10, 10, 10, 12]);
    const unnoticed: string[] = [];
    for (const mutant of mutantsOf(text)) {
      switches.on('file.ts', mutant.index);
      if (JSON.stringify(results()) === JSON.stringify(without)) unnoticed.push(nameOf(text, mutant));
    }
    switches.off();
    expect(unnoticed).toEqual([]);
    expect(results()).toEqual(without);
  });

  it('says which it came by', () => {
    load();
    switches.record();
    place.__tried(3);
    const came = [...(switches.recorded()['file.ts'] ?? [])].map((index) => nameOf(text, mutantsOf(text)[index]!));
    expect(came).toContain('arithmetic: [a, b].length * 5 -> [a, b].length / 5');
    expect(came).not.toContain('arithmetic: a + b -> a - b');
  });
});
