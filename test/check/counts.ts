// Numbers in the documentation that can be counted from the repository: `<!-- count NAME -->132` in a page is compared with what is there.
import { type Fault, faultAt, type SourceFile } from './source-file.ts';

const MARK = /<!-- count ([a-z-]+) -->(\d[\d,]*)/g;

const isTest = (path: string): boolean => path.startsWith('test/') && path.endsWith('.test.ts');
const isLong = (path: string): boolean => path.endsWith('.long.test.ts');
const onEmulator = (path: string): boolean => path.startsWith('test/localstack/');

const COUNTED: Readonly<Record<string, (path: string) => boolean>> = {
  'unit-test-files': (path) => isTest(path) && !isLong(path) && !onEmulator(path),
  'long-test-files': (path) => isTest(path) && isLong(path) && !onEmulator(path),
  'localstack-test-files': (path) => isTest(path) && onEmulator(path),
  decisions: (path) => /^docs\/decisions\/\d{4}-/.test(path),
};

export function countFaults(files: readonly SourceFile[]): Fault[] {
  return files
    .filter(({ path }) => path.endsWith('.md'))
    .flatMap((page) =>
      [...page.text.matchAll(MARK)].flatMap((match) => {
        const [, name = '', written = ''] = match;
        const counts = COUNTED[name];
        if (counts === undefined) return [faultAt(page, match.index, `nothing called ${name} is counted`)];
        const now = files.filter(({ path }) => counts(path)).length;
        return Number(written.replaceAll(',', '')) === now
          ? []
          : [faultAt(page, match.index, `says ${written} ${name}, and there are ${now}`)];
      }),
    );
}
