// XML as S3's clients read it: elements of text and of elements, nothing else.

/** Text, or child elements in order; a list is the element again for each. Undefined is left out. */
export type XmlValue = string | number | boolean | XmlNode | readonly XmlValue[] | undefined;
export interface XmlNode {
  readonly [name: string]: XmlValue;
}

const NAMESPACE = 'http://s3.amazonaws.com/doc/2006-03-01/';
/** What XML 1.0 has no way to write; clients ask for encoding-type=url where keys may hold it. */
const UNWRITABLE = /(?![\t\n\r])\p{Cc}|[\ufffe\uffff]/gu;

const ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

export const escaped = (text: string): string =>
  text
    .replace(/[&<>"]/g, (character) => ESCAPES[character] as string)
    .replace(/[\r\n\t]/g, (character) => `&#${character.charCodeAt(0)};`)
    .replace(UNWRITABLE, (character) => `&#x${character.charCodeAt(0).toString(16)};`);

export const xmlDocument = (name: string, node: XmlNode | string, hasNamespace = true): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<${name}${hasNamespace ? ` xmlns="${NAMESPACE}"` : ''}>${content(node)}</${name}>`;

const content = (node: XmlNode | string): string =>
  typeof node === 'string'
    ? escaped(node)
    : Object.entries(node)
        .map(([name, value]) => element(name, value))
        .join('');

function element(name: string, value: XmlValue): string {
  if (value === undefined) return '';
  if (Array.isArray(value)) return value.map((one: XmlValue) => element(name, one)).join('');
  return `<${name}>${content(typeof value === 'object' ? (value as XmlNode) : String(value))}</${name}>`;
}
