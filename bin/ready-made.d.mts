// For the TypeScript beside it: ready-made.mjs runs before anything can be compiled.
export function readyMade(root: string): string | undefined;
export function markOf(file: string): string;
export function makeReady(
  root: string,
  marks: ReadonlyMap<string, string>,
  build: (folder: string) => Promise<readonly string[]>,
): Promise<void>;
