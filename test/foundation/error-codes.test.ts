// The list of error codes: every one is thrown somewhere, has a kind, and is in docs/errors.md as it is here.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { VERDICT_NAMES, verdictReason } from '../../lib/compaction/plan/selector.ts';
import { ERROR_TABLES, REASON_TABLES } from '../../lib/foundation/error-codes.ts';
import { invalid, PocketfulError } from '../../lib/foundation/errors.ts';
import { isCode, projectFiles, ROOT } from '../check/source-file.ts';

const ENTRIES = Object.values(ERROR_TABLES).flatMap(
  (table) => Object.entries(table) as [string, readonly [string | readonly string[], string]][],
);
const REASONS = Object.values(REASON_TABLES).flatMap((table) => Object.entries(table) as [string, string][]);

/** Lines of a Markdown table, columns as wide as their widest cell. */
function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => [...(row[column] ?? '')].length)));
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - [...cell].length)).join(' | ')} |`;
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)].join('\n');
}

const kindText = (kinds: string | readonly string[]): string => [kinds].flat().join(', ');

function page(): string {
  const errors = Object.entries(ERROR_TABLES).map(([title, table]) => {
    const rows = Object.entries(table).map(([code, [kinds, meaning]]) => [`\`${code}\``, kindText(kinds), meaning]);
    return `## ${title}\n\n${tableOf(['code', 'kind', 'what it means'], rows)}\n`;
  });
  const reasons = Object.entries(REASON_TABLES).map(([title, table]) => {
    const rows = Object.entries(table).map(([code, meaning]) => [`\`${code}\``, meaning]);
    return `### ${title}\n\n${tableOf(['code', 'what it means'], rows)}\n`;
  });
  return [...errors, REASONS_HEAD, ...reasons].join('\n');
}

const REASONS_HEAD = `## Reasons

Why something waits, ended early or was left as it is. No error: a \`{code, text}\` in what a command or a function
reports. A reason may also have the code of the error that it is about.
`;

describe('error codes', () => {
  it('are written in capitals, once each, with a line for a person', () => {
    const codes = [...ENTRIES.map(([code]) => code), ...REASONS.map(([code]) => code)];
    expect(new Set(codes).size).toBe(codes.length);
    for (const code of codes) expect(code).toMatch(/^[A-Z][A-Z0-9]*(_[A-Z0-9]+)*$/);
    for (const [, [, meaning]] of ENTRIES) expect(meaning).toMatch(/^[`a-zA-Z][^\n|]*[^.\n|]$/);
  });

  it('are all used, outside of their tables', () => {
    const code = projectFiles().filter((file) => /^(lib|functions|bin)\//.test(file.path) && isCode(file));
    const text = code.filter(({ path }) => !path.startsWith('lib/foundation/codes/')).map((file) => file.text);
    const used = new Set(text.join('\n').match(/'[A-Z][A-Z0-9_]+'/g));
    for (const name of VERDICT_NAMES) used.add(`'${verdictReason(name)}'`);
    const unused = [...ENTRIES, ...REASONS].map(([name]) => name).filter((name) => !used.has(`'${name}'`));
    expect(unused).toEqual([]);
  });

  it('are the only ones that pages speak of', () => {
    const known = new Set([...ENTRIES, ...REASONS].map(([name]) => name));
    const pages = projectFiles().filter(({ path }) => /^(README|docs\/[a-z-]+)\.md$/.test(path));
    const unknown = pages.flatMap(({ path, text }) =>
      [...text.matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`/g)]
        .filter(([, name = '']) => !known.has(name) && !name.startsWith('POCKETFUL_'))
        .map(([, name]) => `${path}: ${name}`),
    );
    expect(unknown).toEqual([]);
  });

  it('are all in docs/errors.md, and nothing else is', async () => {
    const head = readFileSync(`${ROOT}/docs/errors.md`, 'utf8').split('\n## ')[0] ?? '';
    await expect(`${head.trimEnd()}\n\n${page()}`).toMatchFileSnapshot(`${ROOT}/docs/errors.md`);
  });

  it('are what errors have: others do not compile', () => {
    expect(invalid('NAME_EMPTY', 'a name must not be empty')).toMatchObject({ kind: 'invalid', code: 'NAME_EMPTY' });
    // @ts-expect-error no code at all
    expect(invalid('NAME_EMPTYY', '')).toBeInstanceOf(PocketfulError);
    // @ts-expect-error a code of another kind
    expect(invalid('PANDA_BUSY', '')).toBeInstanceOf(PocketfulError);
    // @ts-expect-error a reason's, which is no error
    expect(new PocketfulError('retry', 'QUEUE_FULL', '')).toBeInstanceOf(PocketfulError);
  });
});
