// XML in and out: what clients send is read, what nobody needs is refused, and nothing is expanded.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { XML_BYTES_MAX, XML_DEPTH_MAX } from '../../lib/limits/gateway.ts';
import { isS3Fault } from '../../lib/s3/fault.ts';
import { childrenOf, readXml, textOf } from '../../lib/s3/xml/read.ts';
import { xmlDocument } from '../../lib/s3/xml/write.ts';

const read = (text: string) => readXml(Buffer.from(text));

describe('XML', () => {
  it('of clients is read', () => {
    const root = read(
      '<?xml version="1.0" encoding="UTF-8"?>\n<!-- c --><s3:Delete xmlns:s3="http://x" a=\'1\'>\n <Object><Key>a&amp;b &#x1F600;&#65;<![CDATA[<&>]]></Key></Object><Object><Key/></Object><Quiet >true</Quiet></s3:Delete>\n',
    );
    expect(root.name).toBe('Delete');
    expect(childrenOf(root, 'Object').map((one) => textOf(one, 'Key'))).toEqual(['a&b \u{1f600}A<&>', '']);
    expect([textOf(root, 'Quiet'), textOf(root, 'None')]).toEqual(['true', undefined]);
  });

  it.each([
    ['nothing', ''],
    ['text alone', 'x'],
    ['a DOCTYPE', '<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'],
    ['an entity of its own', '<a>&x;</a>'],
    ['an entity without an end', '<a>&amp</a>'],
    ['a character that is none', '<a>&#xD800;</a>'],
    ['NUL', '<a>&#0;</a>'],
    ['an instruction', '<a><?php x?></a>'],
    ['two roots', '<a/><b/>'],
    ['tags that cross', '<a><b></a></b>'],
    ['an open end', '<a><b>'],
    ['an open tag', '<a'],
    ['an attribute without quotes', '<a b=c/>'],
    ['too deep', `${'<a>'.repeat(XML_DEPTH_MAX + 1)}${'</a>'.repeat(XML_DEPTH_MAX + 1)}`],
    ['too long', `<a>${'x'.repeat(XML_BYTES_MAX)}</a>`],
  ])('of %s is refused', (_, text) => {
    expect(() => read(text)).toThrow(expect.objectContaining({ code: 'MalformedXML' }));
  });

  it('that is no UTF-8 is refused', () => {
    expect(() => readXml(Buffer.from([0x3c, 0x61, 0xff, 0x3e]))).toThrow(
      expect.objectContaining({ code: 'MalformedXML' }),
    );
  });

  it('that was written is read as it was', () => {
    const text = fc
      .string({ unit: 'binary', maxLength: 40 })
      .map((one) => one.replace(/[\0\ufffe\uffff\ud800-\udfff]/g, ''));
    fc.assert(
      fc.property(fc.array(text, { maxLength: 5 }), (keys) => {
        const root = read(xmlDocument('List', { Key: keys, Count: keys.length, Deep: { Er: true } }));
        expect(childrenOf(root, 'Key').map((one) => one.text)).toEqual(keys);
        expect(textOf(root, 'Count')).toBe(String(keys.length));
      }),
      { numRuns: 500, seed: 3 },
    );
  });

  it('of a text alone is written escaped', () => {
    const written = xmlDocument('LocationConstraint', 'a<b>&$&');
    expect(written).toContain('>a&lt;b&gt;&amp;$&amp;</LocationConstraint>');
    expect(read(written)).toMatchObject({ name: 'LocationConstraint', text: 'a<b>&$&', children: [] });
    expect(xmlDocument('LocationConstraint', '')).toMatch(/<LocationConstraint xmlns="[^"]+"><\/LocationConstraint>$/);
  });

  it('of any bytes is read or refused at once', () => {
    const pieces = fc.constantFrom(
      '<a>',
      '</a>',
      '<a',
      '>',
      '/>',
      '<!--',
      '-->',
      '<![CDATA[',
      ']]>',
      '&amp;',
      '&#',
      'x',
      '"',
      "'",
      ' b="',
      '<?',
      '?>',
      '<!DOCTYPE',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(pieces, { maxLength: 40 }).map((some) => Buffer.from(some.join(''))),
          fc.uint8Array({ maxLength: 100 }),
        ),
        (bytes) => {
          try {
            readXml(bytes);
          } catch (error) {
            expect(isS3Fault(error)).toBe(true);
          }
        },
      ),
      { numRuns: 3000, seed: 4 },
    );
    const startedMs = performance.now();
    for (const hard of [
      '<a '.repeat(200_000),
      '&#'.repeat(500_000),
      `<a ${'b="c" '.repeat(100_000)}`,
      '<a>'.repeat(300_000),
      '<!--'.repeat(200_000),
    ])
      expect(() => read(hard)).toThrow();
    expect(performance.now() - startedMs).toBeLessThan(3000);
  });
});
