// The trash: what was deleted or overwritten and can be restored, of one S3 bucket.
import type { RemovedInfo } from '../../../client/admin.ts';
import { bytesText } from '../../../foundation/figures.ts';
import { WEB_LINES_MAX } from '../../../limits/web.ts';
import type { GatewayAnswer } from '../../exchange.ts';
import { type Html, html, link, named, visible, when } from '../html.ts';
import { badge, card, form, hidden, type Page, table } from '../layout.ts';
import type { View, WebCall } from '../view.ts';

export interface RemovedChoice {
  readonly bucket: string;
  readonly prefix: string;
  /** Only this name. */
  readonly isWhole: boolean;
  /** So many of them come before. */
  readonly from: number;
}

interface RemovedLines {
  readonly lines: readonly RemovedInfo[];
  readonly isMore: boolean;
}

/** A page of them, the oldest first. */
export async function removedOf(view: View, { bucket, prefix, isWhole, from }: RemovedChoice): Promise<RemovedLines> {
  const lines: RemovedInfo[] = [];
  let before = 0;
  for await (const one of view.parts.admin.removed(prefix, bucket)) {
    if (isWhole && one.key !== prefix) continue;
    before += 1;
    if (before <= from) continue;
    if (lines.length === WEB_LINES_MAX) return { lines, isMore: true };
    lines.push(one);
  }
  return { lines, isMore: false };
}

export const removedTable = (view: View, { lines }: RemovedLines, bucket: string): Html =>
  table(
    'What can be restored',
    [
      { name: 'Name' },
      { name: 'Size', isNumber: true },
      { name: 'How' },
      { name: 'When' },
      { name: 'Kept until' },
      { name: 'Action' },
    ],
    lines.map(({ key, version, sizeBytes, removedAtMs, keptUntilMs, isOverwritten }) => [
      html`<a href="${link('/ui/object', { bucket, key })}">${named(key)}</a>`,
      bytesText(sizeBytes),
      isOverwritten ? badge('overwritten', 'calm') : badge('deleted', 'warn'),
      when(removedAtMs),
      when(keptUntilMs),
      form(
        view,
        '/ui/trash/restore',
        html`${hidden('bucket', bucket)}${hidden('key', key)}${hidden('version', version)}<button aria-label="Restore ${visible(key)}">Restore</button>`,
      ),
    ]),
    'Nothing can be restored.',
  );

export async function trashPage({ view, query }: WebCall): Promise<Page> {
  const bucket = query.get('bucket') ?? view.parts.namespace;
  const prefix = query.get('prefix') ?? '';
  const from = Number(/^\d{1,9}$/.exec(query.get('from') ?? '')?.[0] ?? 0);
  await view.parts.open.buckets.check(bucket);
  const found = await removedOf(view, { bucket, prefix, isWhole: false, from });
  return {
    title: 'Trash',
    place: '/ui/trash',
    lead: html`What was deleted or overwritten in ${named(bucket)}, the oldest first: it can be restored until it is shredded.`,
    body: html`<form class="find" action="/ui/trash" role="search"><label><span class="unseen">S3 bucket</span><input type="text" name="bucket" value="${bucket}" placeholder="S3 bucket" autocomplete="off"></label><label><span class="unseen">Names that begin with</span><input type="text" name="prefix" value="${prefix}" placeholder="Names that begin with…" autocomplete="off"></label><button>Show</button></form>
${card('Can be restored', html`${removedTable(view, found, bucket)}${found.isMore ? html`<p><a class="button" href="${link('/ui/trash', { bucket, prefix, from: from + WEB_LINES_MAX })}">Later ones</a></p>` : ''}`)}`,
  };
}

export async function restoreRemoved(view: View, sent: URLSearchParams): Promise<GatewayAnswer> {
  const [bucket = '', key = '', version = ''] = ['bucket', 'key', 'version'].map((name) => sent.get(name) ?? '');
  await view.parts.open.buckets.check(bucket);
  await view.parts.admin.restoreRemoved({ namespace: bucket, key, version, overwrite: true });
  view.changed();
  return view.goTo(link('/ui/object', { bucket, key }), true, 'Restored, as it was.');
}
