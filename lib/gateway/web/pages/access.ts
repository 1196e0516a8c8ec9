// Access keys: what each may do; new ones, whose secret is shown once; other rules; and away with them.

import type { AccessKey } from '../../../access/access-keys.ts';
import { parseRule, type Rule, ruleText } from '../../../access/policy.ts';
import { invalid } from '../../../foundation/errors.ts';
import { WEB_LINES_MAX } from '../../../limits/web.ts';
import type { GatewayAnswer } from '../../exchange.ts';
import { type Html, html, named, when } from '../html.ts';
import { card, form, hidden, type Page } from '../layout.ts';
import type { View, WebCall } from '../view.ts';

export async function accessPage({ view, query }: WebCall): Promise<Page> {
  const keys: AccessKey[] = [];
  const from = query.get('from') ?? '';
  let more: string | undefined;
  for await (const key of view.parts.open.keys.list()) {
    if (key.id < from) continue;
    if (keys.length === WEB_LINES_MAX) {
      more = key.id;
      break;
    }
    keys.push(key);
  }
  const open: Rule[] = [];
  for await (const rule of view.parts.open.anybody.list()) if (open.length < WEB_LINES_MAX) open.push(rule);
  return {
    title: 'Access keys',
    place: '/ui/access',
    lead: 'What clients of the S3 endpoint sign their requests with. What no rule of a key grants is denied.',
    body: html`${keys.length === 0 ? card('Keys', html`<p class="none">There is no key yet, so nobody can use the endpoint.</p>`) : keys.map((key) => keyCard(view, key))}
${more === undefined ? '' : html`<p><a class="button" href="/ui/access?from=${more}">More keys</a></p>`}
${card('Without a key', publicList(view, open))}
${card('A new key', form(view, '/ui/access/add', html`<label>Name<input type="text" name="name" required maxlength="63" autocomplete="off"></label>${rulesField('all')}<p><button class="main">Make a key</button></p>`, 'fields'))}`,
  };
}

/** `access public` says so of a bucket; here it is only seen, and taken back. */
const publicList = (view: View, rules: readonly Rule[]): Html =>
  rules.length === 0
    ? html`<p class="none">Nothing is public: every request needs a key.</p>`
    : html`<ul>${rules.map((rule) => html`<li>Anybody may <code>${ruleText(rule)}</code>${form(view, '/ui/access/private', html`${hidden('bucket', rule.bucket)}<button class="danger" aria-label="Make ${rule.bucket} private">Make it private</button>`)}</li>`)}</ul>`;

export async function makePrivate(view: View, sent: URLSearchParams): Promise<GatewayAnswer> {
  const bucket = sent.get('bucket') ?? '';
  const wasPublic = await view.parts.open.anybody.close(bucket);
  return view.goTo('/ui/access', wasPublic, wasPublic ? `${bucket} is private.` : `${bucket} was not public.`);
}

const rulesField = (text: string): Html =>
  html`<label>It may<span class="hint">One rule a line: RIGHTS:BUCKET/PREFIX, rights of read, write, delete, list, manage or all.</span><textarea name="rules" required spellcheck="false">${text}</textarea></label>`;

function keyCard(view: View, { id, name, createdAtMs, rules }: AccessKey): Html {
  const texts = rules.map(ruleText);
  return card(
    named(name),
    html`<dl class="facts"><dt>Key id</dt><dd><code>${id}</code></dd><dt>Made</dt><dd>${when(createdAtMs)}</dd><dt>It may</dt><dd>${texts.length === 0 ? 'nothing' : texts.map((text) => html`<code>${text}</code> `)}</dd></dl>
<div class="row"><details><summary aria-label="Other rules for ${name}">Other rules</summary>${form(view, '/ui/access/rules', html`${hidden('id', id)}${rulesField(texts.join('\n'))}<p><button>Replace its rules</button></p>`, 'fields')}</details>
<details><summary aria-label="Remove ${name}">Remove</summary>${form(view, '/ui/access/remove', html`${hidden('id', id)}<p>What it signs is refused within seconds, for good.</p><button class="danger" aria-label="Remove the key ${name} for good">Remove it</button>`)}</details></div>`,
  );
}

/** Deny by default: a key without a rule is of no use. Throws `invalid` RULE_INVALID. */
function rulesIn(sent: URLSearchParams): Rule[] {
  const lines = (sent.get('rules') ?? '').split('\n').map((line) => line.trim());
  const rules = lines.filter((line) => line !== '').map(parseRule);
  if (rules.length === 0) throw invalid('RULE_INVALID', 'say what it may do, such as all, or read,list:photos/2024/');
  return rules;
}

/** The only page that shows its secret; it is kept nowhere else. */
export async function addKey(view: View, sent: URLSearchParams): Promise<Page> {
  const { open, randomness, clock } = view.parts;
  const name = (sent.get('name') ?? '').trim();
  const key = await open.keys.add({ name, rules: rulesIn(sent) }, { randomness, nowMs: clock.nowMs() });
  return {
    title: 'A new access key',
    place: '/ui/access',
    lead: 'The secret is shown this once: keep it where the client finds it.',
    body: card(
      named(key.name),
      html`<dl class="facts"><dt>Access key id</dt><dd><code class="secret">${key.id}</code></dd><dt>Secret access key</dt><dd><code class="secret">${key.secret}</code></dd><dt>It may</dt><dd>${key.rules.map((rule) => html`<code>${ruleText(rule)}</code> `)}</dd></dl><p><a class="button" href="/ui/access">Done</a></p>`,
    ),
  };
}

export async function replaceRules(view: View, sent: URLSearchParams): Promise<GatewayAnswer> {
  const { name } = await view.parts.open.keys.setRules(sent.get('id') ?? '', rulesIn(sent));
  return view.goTo('/ui/access', true, `${name} has other rules.`);
}

export async function removeKey(view: View, sent: URLSearchParams): Promise<GatewayAnswer> {
  await view.parts.open.keys.remove(sent.get('id') ?? '');
  return view.goTo('/ui/access', true, 'The key is removed.');
}
