// No circles: neither of files, nor of the rooms of one part (`lib/volume/read`, `lib/volume/write` …). A room is read on its own only as long
// as what it stands on does not stand on it. Files at a part's root belong to no room.
import path from 'node:path';
import { importsOf, targetOf } from './imports.ts';
import { type Fault, faultAt, isCode, type SourceFile } from './source-file.ts';

type Graph = ReadonlyMap<string, ReadonlySet<string>>;

export function circleFaults(files: readonly SourceFile[]): Fault[] {
  const product = new Map(
    files
      .filter((file) => isCode(file) && ['lib', 'functions', 'bin'].includes(file.path.split('/')[0] as string))
      .map((file) => [file.path, file]),
  );
  const imports = new Map(
    [...product.values()].map((file) => [
      file.path,
      new Set(
        importsOf(file)
          .filter(({ request }) => request.startsWith('.'))
          .map(({ request }) => targetOf(file, request))
          .filter((target) => product.has(target)),
      ),
    ]),
  );
  return [
    ...circlesOf(imports).map((circle) =>
      faultAt(product.get(circle[0] as string) as SourceFile, 0, `imports in a circle: ${circle.join(' -> ')}`),
    ),
    ...circlesOf(roomsOf(imports)).map((circle) => ({
      path: circle[0] as string,
      line: 0,
      message: `rooms import each other in a circle: ${circle.map((room) => exampleOf(imports, room, circle)).join(', ')}`,
    })),
  ];
}

/** `lib/volume/read/x.ts` is in room `lib/volume/read`, and so is what lies deeper. */
function roomOf(file: string): string | undefined {
  const parts = file.split('/');
  return parts[0] === 'lib' && parts.length >= 4 ? parts.slice(0, 3).join('/') : undefined;
}

function roomsOf(imports: Graph): Graph {
  const rooms = new Map<string, Set<string>>();
  for (const [file, targets] of imports)
    for (const target of targets) {
      const from = roomOf(file);
      const to = roomOf(target);
      if (from === undefined || to === undefined || from === to || path.dirname(from) !== path.dirname(to)) continue;
      rooms.set(from, (rooms.get(from) ?? new Set()).add(to));
    }
  return rooms;
}

function exampleOf(imports: Graph, room: string, circle: readonly string[]): string {
  for (const [file, targets] of imports) {
    if (roomOf(file) !== room) continue;
    for (const target of targets) {
      const to = roomOf(target);
      if (to !== undefined && to !== room && circle.includes(to)) return `${file} -> ${target}`;
    }
  }
  return room;
}

/** Strongly connected components of more than one node (Tarjan 1972), each in the order of a walk through it. */
function circlesOf(graph: Graph): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const stack: string[] = [];
  const circles: string[][] = [];
  const visit = (node: string): void => {
    index.set(node, index.size);
    low.set(node, index.get(node) as number);
    stack.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) visit(next);
      if (stack.includes(next)) low.set(node, Math.min(low.get(node) as number, low.get(next) as number));
    }
    if (low.get(node) !== index.get(node)) return;
    const circle = stack.splice(stack.indexOf(node));
    if (circle.length > 1) circles.push(circle);
  };
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return circles;
}
