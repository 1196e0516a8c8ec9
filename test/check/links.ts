// Relative links of the documentation lead somewhere: to a file or folder of the project, and to a heading that is there.
import path from 'node:path';
import { type Fault, faultAt, type SourceFile } from './source-file.ts';

const LINK = /(?<!!)\[[^\]\n]*\]\(([^)\s]+)(?:\s+"[^"]*")?\)|!\[[^\]\n]*\]\(([^)\s]+)\)/g;
const CODE = /^ {0,3}(`{3,}|~{3,})[\s\S]*?^ {0,3}\1[^\n]*$|`[^`\n]+`/gm;

export function linkFaults(files: readonly SourceFile[], others: readonly string[] = []): Fault[] {
  const paths = new Set([...files.map((file) => file.path), ...others]);
  for (const file of [...paths])
    for (let folder = path.posix.dirname(file); folder !== '.'; folder = path.posix.dirname(folder)) paths.add(folder);
  const pages = new Map(files.filter(({ path: at }) => at.endsWith('.md')).map((file) => [file.path, file]));
  return [...pages.values()].flatMap((page) => {
    const text = withoutCode(page.text);
    return [...text.matchAll(LINK)].flatMap((match) => {
      const target = match[1] ?? (match[2] as string);
      if (/^[a-z][a-z0-9+.-]*:/i.test(target)) return [];
      const message = brokenBecause(page, target, paths, pages);
      return message === undefined ? [] : [faultAt(page, match.index + 1, message)];
    });
  });
}

function brokenBecause(
  page: SourceFile,
  target: string,
  paths: ReadonlySet<string>,
  pages: ReadonlyMap<string, SourceFile>,
): string | undefined {
  const [file = '', heading] = decodeURI(target).split('#');
  const at = file === '' ? page.path : path.posix.join(path.posix.dirname(page.path), file).replace(/\/$/, '');
  if (at !== '.' && !paths.has(at)) return `${target} leads to ${at}, which is not there`;
  const linked = pages.get(at);
  if (heading === undefined || linked === undefined || headingsOf(linked).has(heading)) return undefined;
  return `${target}: no heading of ${at} gives #${heading}`;
}

/** Anchors as GitHub makes them. */
function headingsOf(page: SourceFile): Set<string> {
  const anchors = new Set<string>();
  for (const [, title = ''] of withoutCode(page.text, '').matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)) {
    const plain = title.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = plain.replace(/[^\p{L}\p{N}\p{M}\s_-]/gu, '').replace(/\s/g, '-');
    let unique = anchor;
    for (let n = 1; anchors.has(unique); n++) unique = `${anchor}-${n}`;
    anchors.add(unique);
  }
  return anchors;
}

/** Code blanked out, so that offsets stay; within headings the code's words belong to the anchor. */
function withoutCode(text: string, inline: string | undefined = undefined): string {
  return text.replace(CODE, (code) =>
    code.startsWith('`') && !code.includes('\n') && inline !== undefined ? code : code.replace(/[^\n]/g, ' '),
  );
}
