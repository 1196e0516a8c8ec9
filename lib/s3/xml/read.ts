// A reader of the XML that requests carry: elements and text, bounded in bytes and depth. What a request has no need of
// (a DOCTYPE and with it entities of its own, processing instructions) is refused, so that nothing is ever expanded.
import { XML_BYTES_MAX, XML_DEPTH_MAX } from '../../limits/gateway.ts';
import { S3Fault } from '../fault.ts';

export interface XmlElement {
  /** Without a prefix. */
  readonly name: string;
  readonly children: readonly XmlElement[];
  /** Of its own, not of its children. */
  readonly text: string;
}

export const malformedXml = (): S3Fault =>
  new S3Fault('MalformedXML', 'the XML you provided was not well-formed or did not validate against our schema');

const NAME = /[A-Za-z_][A-Za-z0-9._-]*(?::[A-Za-z_][A-Za-z0-9._-]*)?/y;
const ATTRIBUTE = /\s+[A-Za-z_:][A-Za-z0-9._:-]*\s*=\s*(?:"[^"<]*"|'[^'<]*')/y;
const TAG_END = /\s*(\/?)>/y;
const CLOSE_END = /\s*>/y;
const DECLARATION = /^\ufeff?<\?xml(?:\s[^?]*)?\?>/;
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };

interface Open {
  readonly name: string;
  readonly children: XmlElement[];
  text: string;
}

/** The root element. Throws MalformedXML. */
export function readXml(body: Uint8Array): XmlElement {
  if (body.length > XML_BYTES_MAX) throw malformedXml();
  const text = decodedUtf8(body);
  const start = DECLARATION.exec(text)?.[0].length ?? (text.startsWith('\ufeff') ? 1 : 0);
  return new Reader(text, start).read();
}

function decodedUtf8(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body);
  } catch {
    throw malformedXml();
  }
}

class Reader {
  readonly #text: string;
  #at: number;
  readonly #open: Open[] = [];
  #root: XmlElement | undefined;

  constructor(text: string, at: number) {
    this.#text = text;
    this.#at = at;
  }

  read(): XmlElement {
    while (this.#at < this.#text.length) {
      const next = this.#text.indexOf('<', this.#at);
      this.#takeText(this.#text.slice(this.#at, next < 0 ? this.#text.length : next));
      if (next < 0) break;
      this.#at = next + 1;
      this.#takeMarkup();
    }
    if (this.#root === undefined || this.#open.length > 0) throw malformedXml();
    return this.#root;
  }

  #takeText(raw: string): void {
    const open = this.#open.at(-1);
    if (open !== undefined) open.text += unescaped(raw);
    else if (raw.trim() !== '') throw malformedXml();
  }

  #takeMarkup(): void {
    if (this.#text.startsWith('!--', this.#at)) this.#skipComment();
    else if (this.#text.startsWith('![CDATA[', this.#at)) this.#takeData();
    else if (this.#text.startsWith('/', this.#at)) this.#close();
    else this.#begin();
  }

  #skipComment(): void {
    const end = this.#text.indexOf('-->', this.#at + 3);
    if (end < 0) throw malformedXml();
    this.#at = end + 3;
  }

  #takeData(): void {
    const end = this.#text.indexOf(']]>', this.#at);
    const open = this.#open.at(-1);
    if (end < 0 || open === undefined) throw malformedXml();
    open.text += this.#text.slice(this.#at + 8, end);
    this.#at = end + 3;
  }

  #begin(): void {
    const name = this.#match(NAME);
    if (name === undefined || this.#root !== undefined || this.#open.length >= XML_DEPTH_MAX) throw malformedXml();
    while (this.#match(ATTRIBUTE) !== undefined);
    const end = this.#match(TAG_END);
    if (end === undefined) throw malformedXml();
    this.#open.push({ name: localName(name), children: [], text: '' });
    if (end.includes('/')) this.#end();
  }

  #close(): void {
    this.#at += 1;
    const name = this.#match(NAME);
    if (name === undefined || this.#match(CLOSE_END) === undefined) throw malformedXml();
    if (this.#open.at(-1)?.name !== localName(name)) throw malformedXml();
    this.#end();
  }

  #end(): void {
    const element = this.#open.pop() as Open;
    const parent = this.#open.at(-1);
    if (parent === undefined) this.#root = element;
    else parent.children.push(element);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }
}

const localName = (name: string): string => name.slice(name.indexOf(':') + 1);

function unescaped(raw: string): string {
  if (!raw.includes('&')) return raw;
  return raw.replace(/&([^;&]{0,10});?/g, (whole, name: string) => {
    if (!whole.endsWith(';')) throw malformedXml();
    const known = ENTITIES[name];
    if (known !== undefined) return known;
    const [, hex, decimal] = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(name) ?? [];
    const point = hex === undefined ? Number(decimal ?? Number.NaN) : Number.parseInt(hex, 16);
    if (!(point > 0 && point <= 0x10ffff) || (point >= 0xd800 && point <= 0xdfff)) throw malformedXml();
    return String.fromCodePoint(point);
  });
}

export const childrenOf = (element: XmlElement, name: string): XmlElement[] =>
  element.children.filter((child) => child.name === name);

/** The text of the only child of that name; undefined if there is none. Throws MalformedXML if there are more. */
export function textOf(element: XmlElement, name: string): string | undefined {
  const found = childrenOf(element, name);
  if (found.length > 1) throw malformedXml();
  return found[0]?.text;
}

/** Throws MalformedXML unless the root is called so. */
export function expectRoot(element: XmlElement, name: string): XmlElement {
  if (element.name !== name) throw malformedXml();
  return element;
}
