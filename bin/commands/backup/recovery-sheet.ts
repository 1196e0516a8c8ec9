// The recovery sheet for the printer: the lines to be typed in, and the same as QR codes.
import { codeTextsOf, type ExportedKeys, paperOf } from '../../../lib/keys/key-export.ts';
import { qrAsSvg } from '../show/qr-code.ts';

const STYLE = `body { font: 11pt/1.4 serif; margin: 2cm; }
pre { font: 10pt/1.6 monospace; white-space: pre-wrap; }
figure { display: inline-block; margin: 0 1cm 0 0; width: 7cm; break-inside: avoid; }
svg { width: 7cm; height: 7cm; }`;

/** One page that needs nothing else. */
export function sheetPage(keys: ExportedKeys): string {
  const codes = codeTextsOf(keys);
  const figures = codes.map(
    (text, i) => `<figure>${qrAsSvg(text)}<figcaption>${i + 1} of ${codes.length}</figcaption></figure>`,
  );
  return `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Pocketful keys of store ${keys.storeId}</title><style>${STYLE}</style>
<h1>Pocketful: the keys of a store</h1>
<p>Whoever has this sheet can read everything in the store. Keep it where the drives are not, and print it again after
every <code>pocketful keys rotate</code>.</p>
<pre>${paperOf(keys)}</pre>
<p>To use it: type these lines into a file, or scan the codes, one a line, in their order. Then
<code>pocketful keys import FILE</code> and <code>pocketful restore --from-drives</code>.</p>
${figures.join('\n')}
</html>
`;
}
