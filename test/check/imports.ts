// What a source file imports, as it is written there.
import path from 'node:path';
import { parsed, type SourceFile } from './source-file.ts';

export interface Import {
  readonly request: string;
  readonly offset: number;
}

/** Static, dynamic and re-exported; each place once. */
export function importsOf(file: SourceFile): Import[] {
  const { module } = parsed(file);
  const exported = module.staticExports.flatMap(({ entries }) => entries.map(({ moduleRequest }) => moduleRequest));
  const written = [...module.staticImports.map(({ moduleRequest }) => moduleRequest), ...exported];
  const found = new Map<number, Import>();
  for (const request of written)
    if (request !== null && request !== undefined)
      found.set(request.start, { request: request.value, offset: request.start });
  for (const { moduleRequest } of module.dynamicImports) {
    const literal = /^(['"])(.*)\1$/.exec(file.text.slice(moduleRequest.start, moduleRequest.end));
    if (literal !== null)
      found.set(moduleRequest.start, { request: literal[2] as string, offset: moduleRequest.start });
  }
  return [...found.values()];
}

/** The path in the project that a relative import means. */
export const targetOf = (file: SourceFile, request: string): string =>
  path.posix.normalize(path.posix.join(path.posix.dirname(file.path), request));
