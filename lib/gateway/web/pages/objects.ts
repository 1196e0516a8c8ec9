// Objects: S3 buckets, what is in one of them by folders, one object with what it was before, and its bytes.

import { bytesText, countText } from '../../../foundation/figures.ts';
import { partsOf } from '../../../frontend/compose/block-layout.ts';
import type { ListPage } from '../../../frontend/frontend.ts';
import { WEB_LINES_MAX } from '../../../limits/web.ts';
import type { ObjectRow } from '../../../panda/rows/object-row.ts';
import { attributesFrom, DEFAULT_TYPE } from '../../../s3/request/attributes.ts';
import type { GatewayAnswer } from '../../exchange.ts';
import { etagOf } from '../../objects.ts';
import { type Content, type Html, html, link, named, visible, when } from '../html.ts';
import { card, type Page, table } from '../layout.ts';
import type { View, WebCall } from '../view.ts';
import { removedOf, removedTable } from './trash.ts';

export async function objectsPage(call: WebCall): Promise<Page> {
  const bucket = call.query.get('bucket');
  return bucket === null ? bucketsPage(call) : bucketPage(call, bucket);
}

async function bucketsPage({ view, query }: WebCall): Promise<Page> {
  const rows: Content[][] = [];
  let more: string | undefined;
  const from = query.get('from') ?? '';
  for await (const { name, createdAtMs } of view.parts.open.buckets.list()) {
    if (name < from) continue;
    if (rows.length === WEB_LINES_MAX) {
      more = name;
      break;
    }
    rows.push([html`<a href="${link('/ui/objects', { bucket: name })}">${named(name)}</a>`, when(createdAtMs)]);
  }
  return {
    title: 'Objects',
    place: '/ui/objects',
    lead: html`S3 buckets of this store. What the CLI puts is in ${named(view.parts.namespace)}.`,
    body: card(
      'S3 buckets',
      html`${table('S3 buckets', [{ name: 'Bucket' }, { name: 'Made' }], rows)}${more === undefined ? '' : html`<p><a class="button" href="${link('/ui/objects', { from: more })}">More buckets</a></p>`}`,
    ),
  };
}

async function bucketPage({ view, query }: WebCall, bucket: string): Promise<Page> {
  await view.parts.open.buckets.check(bucket);
  const prefix = query.get('prefix') ?? '';
  const from = query.get('from') ?? undefined;
  const page = await view.parts.open.objects.list({
    ...{ namespace: bucket, prefix, delimiter: '/', limit: WEB_LINES_MAX },
    ...(from === undefined ? {} : { from }),
  });
  return {
    title: bucket,
    place: '/ui/objects',
    body: html`${crumbs(bucket, prefix)}
<form class="find" action="/ui/objects" role="search"><input type="hidden" name="bucket" value="${bucket}"><label><span class="unseen">Names that begin with</span><input type="text" name="prefix" value="${prefix}" placeholder="Names that begin with…" autocomplete="off"></label><button>Show</button><a class="button" href="${link('/ui/trash', { bucket, prefix })}">What was deleted here</a></form>
${card(prefix === '' ? 'Objects' : html`Below ${named(prefix)}`, html`${listing(bucket, prefix, page)}${page.next === undefined ? '' : html`<p><a class="button" href="${link('/ui/objects', { bucket, prefix, from: page.next })}">Next page</a></p>`}`)}`,
  };
}

function crumbs(bucket: string, prefix: string): Html {
  const folders = prefix.split('/').slice(0, -1);
  return html`<ul class="crumbs"><li><a href="/ui/objects">Buckets</a></li><li><a href="${link('/ui/objects', { bucket })}">${named(bucket)}</a></li>${folders.map((folder, i) => html`<li><a href="${link('/ui/objects', { bucket, prefix: `${folders.slice(0, i + 1).join('/')}/` })}">${named(folder === '' ? '(empty)' : folder)}</a></li>`)}</ul>`;
}

function listing(bucket: string, prefix: string, { objects, commonPrefixes, damaged }: ListPage): Html {
  const shown = (key: string): Html => named(key.slice(prefix.length) || '(the folder itself)');
  return table(
    'Objects',
    [{ name: 'Name' }, { name: 'Size', isNumber: true }, { name: 'Put' }, { name: 'Action' }],
    [
      ...commonPrefixes.map((folder) => [
        html`<a href="${link('/ui/objects', { bucket, prefix: folder })}">${shown(folder)}</a>`,
        'folder',
        '',
        '',
      ]),
      ...objects.map(({ key, sizeBytes, createdAtMs }) => [
        html`<a href="${link('/ui/object', { bucket, key })}">${shown(key)}</a>`,
        bytesText(sizeBytes),
        when(createdAtMs),
        html`<a href="${link('/ui/download', { bucket, key })}" aria-label="Download ${visible(key)}">Download</a>`,
      ]),
      ...damaged.map(({ key }) => [shown(key), 'damaged', '', 'its row cannot be read: see pocketful doctor']),
    ],
    prefix === '' ? 'Nothing is in it.' : 'No name begins so.',
  );
}

export async function objectPage({ view, query }: WebCall): Promise<Page> {
  const [bucket, key] = [query.get('bucket') ?? '', query.get('key') ?? ''];
  const { open } = view.parts;
  await open.buckets.check(bucket);
  const object = await open.objects.find(bucket, key);
  const before = await removedOf(view, { bucket, prefix: key, isWhole: true, from: 0 });
  return {
    title: key,
    place: '/ui/objects',
    body: html`${crumbs(bucket, key)}${object === undefined ? html`<p class="notice bad">It is not there now.</p>` : current(bucket, object)}
${card('Versions before', html`<p class="soft">Deleted and overwritten ones, until they are shredded. What has the name now goes to the trash when another is restored.</p>${removedTable(view, before, bucket)}`)}`,
  };
}

function current(bucket: string, object: ObjectRow): Html {
  const { t = DEFAULT_TYPE, h = {}, m = {}, g = {} } = attributesFrom(object.system);
  const parts = partsOf(object);
  const facts: [string, Content][] = [
    ['Size', `${bytesText(object.sizeBytes)} (${countText(object.sizeBytes)} bytes)`],
    ['Put', when(object.createdAtMs)],
    ['Version', html`<code>${object.version}</code>`],
    ['ETag', html`<code>${etagOf(object)}</code>`],
    ['Content type', named(t)],
    ...(parts > 0 ? [['Parts', countText(parts)] as [string, Content]] : []),
    ...Object.entries(h).map(([name, value]): [string, Content] => [name, named(value)]),
    ...Object.entries(m).map(([name, value]): [string, Content] => [`x-amz-meta-${name}`, named(value)]),
    ...Object.entries(g).map(([name, value]): [string, Content] => [`tag ${name}`, named(value)]),
    ...(object.metadata === undefined
      ? []
      : [['Metadata', html`<code>${named(object.metadata)}</code>`] as [string, Content]]),
  ];
  return card(
    'As it is now',
    html`<dl class="facts">${facts.map(([name, value]) => html`<dt>${named(name)}</dt><dd>${value}</dd>`)}</dl><p><a class="button main" href="${link('/ui/download', { bucket, key: object.key })}">Download</a></p>`,
  );
}

/** Never shown in this origin: a browser that opens it runs nothing of it. */
export async function download(view: View, query: URLSearchParams): Promise<GatewayAnswer> {
  const [bucket, key] = [query.get('bucket') ?? '', query.get('key') ?? ''];
  const { open } = view.parts;
  await open.buckets.check(bucket);
  const { object, body } = await open.objects.get(bucket, key, () => undefined);
  const name = encodeURIComponent(key.split('/').at(-1) || 'object').replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16)}`,
  );
  return {
    status: 200,
    headers: {
      'content-type': 'application/octet-stream',
      'content-length': String(object.sizeBytes),
      'content-disposition': `attachment; filename*=UTF-8''${name}`,
    },
    body,
  };
}
