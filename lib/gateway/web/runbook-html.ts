// A heading's part of docs/operations.md as HTML: paragraphs, lists, code, what is bold. All of it is text.
import { type Content, type Html, html } from './html.ts';

/** What stands under the heading of this name, up to the next one. */
export function runbookOf(document: string, name: string): string | undefined {
  const lines = document.split('\n');
  const from = lines.indexOf(`### ${name}`);
  if (from < 0) return undefined;
  const rest = lines.slice(from + 1);
  const to = rest.findIndex((line) => /^#{1,3} /.test(line));
  return (to < 0 ? rest : rest.slice(0, to)).join('\n').trim();
}

export function runbookHtml(text: string): Html {
  const blocks: Content[] = [];
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; ) {
    const line = lines[i] as string;
    if (line.startsWith('```')) {
      const end = lines.indexOf('```', i + 1);
      const to = end < 0 ? lines.length : end;
      blocks.push(html`<pre tabindex="0"><code>${lines.slice(i + 1, to).join('\n')}</code></pre>`);
      i = to + 1;
      continue;
    }
    const isList = line.startsWith('- ');
    const own: string[] = [];
    while (i < lines.length && lines[i] !== '' && !lines[i]?.startsWith('```')) own.push(lines[i++] as string);
    if (own.length > 0) blocks.push(isList ? listOf(own) : html`<p>${inline(own.join(' '))}</p>`);
    else i += 1;
  }
  return html`${blocks}`;
}

/** A line that begins no item goes on with the one before it. */
function listOf(lines: readonly string[]): Html {
  const items: string[] = [];
  for (const line of lines)
    if (line.startsWith('- ')) items.push(line.slice(2));
    else items.push(`${items.pop() ?? ''} ${line.trim()}`);
  return html`<ul>${items.map((item) => html`<li>${inline(item)}</li>`)}</ul>`;
}

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\([^)]*\)/g;

function inline(text: string): Html {
  const out: Content[] = [];
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    out.push(text.slice(at, found.index));
    const [all, code, bold, label] = found;
    out.push(code !== undefined ? html`<code>${code}</code>` : html`<strong>${bold ?? label}</strong>`);
    at = found.index + all.length;
  }
  return html`${out}${text.slice(at)}`;
}
