// A file with all its mutants in it at once, each behind a switch: `(__mutant(7) ? mutated : original)`. Mutated pieces have no mutants in them.
import { parseSync } from 'oxc-parser';
import type { SyntaxNode } from '../check/syntax.ts';
import { childrenOf, type Mutant } from './mutants.ts';

export function instrumented(path: string, text: string, mutants: readonly Mutant[]): string {
  const at = new Map<string, Mutant[]>();
  for (const mutant of mutants) {
    const place = `${mutant.start}-${mutant.end}`;
    at.set(place, [...(at.get(place) ?? []), mutant]);
  }

  const rendered = (node: SyntaxNode): string => {
    const place = `${node.start}-${node.end}`;
    // The outermost of the nodes that are one piece of text has them.
    const here = at.get(place) ?? [];
    at.delete(place);
    let inner = '';
    let done = node.start;
    for (const child of childrenOf(node)) {
      if (child.start < done) continue;
      inner += text.slice(done, child.start) + rendered(child);
      done = child.end;
    }
    inner += text.slice(done, node.end);
    for (const { index, isEntry, replacement } of here.toReversed())
      inner = isEntry
        ? inner.replace('{', `{ if (__mutant(${index})) return;`)
        : `(__mutant(${index}) ? (${replacement}) : ${inner})`;
    return inner;
  };

  const program = parseSync('file.ts', text).program as unknown as SyntaxNode;
  return `const __mutant = globalThis.__mutation.of(${JSON.stringify(path)}); ${text.slice(0, program.start)}${rendered(program)}${text.slice(program.end)}`;
}
