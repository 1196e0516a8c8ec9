// HTML in which all that is put in is text, unless it was made here: names of objects are whatever their owners want.
import { timeText } from '../../foundation/figures.ts';
import { escaped } from '../../s3/xml/write.ts';

/** Markup. What is no instance of it is text. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export type Content = Html | string | number | false | undefined | readonly Content[];

/** Attributes are always written in double quotes. */
export function html(parts: TemplateStringsArray, ...values: readonly Content[]): Html {
  let text = parts[0] as string;
  for (const [i, value] of values.entries()) text += textOf(value) + (parts[i + 1] as string);
  return new Html(text);
}

function textOf(value: Content): string {
  if (value === undefined || value === false) return '';
  if (value instanceof Html) return value.text;
  if (typeof value === 'object') return value.map(textOf).join('');
  return escaped(String(value));
}

/** What would be shown as nothing, or turn the text around it. */
const UNSEEN = /[\p{Cc}\p{Bidi_Control}\u2028\u2029\ufeff]/gu;

/** A name as text of its own: what it holds turns nothing else around. */
export const named = (name: string): Html => html`<bdi>${visible(name)}</bdi>`;

/** The same where no element can be. */
export const visible = (name: string): string => name.replace(UNSEEN, '\ufffd');

/** A moment, in UTC. */
export function when(ms: number): Html {
  const text = timeText(ms);
  return html`<time datetime="${text}">${text.slice(0, -1).replace('T', ' ')}</time>`;
}

/** A place of the web view, its parameters encoded; those that are not given are left out. */
export function link(path: string, parameters: Readonly<Record<string, string | number | undefined>> = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters))
    if (value !== undefined && value !== '') query.set(name, String(value));
  return query.size === 0 ? path : `${path}?${query}`;
}
