// The Grafana dashboard of docs asks for metrics that the server has, and for nothing else.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { systemClock } from '../../lib/foundation/clock.ts';
import { ServerMetrics } from '../../lib/gateway/http/metrics.ts';
import { storeGauges } from '../../lib/gateway/store-gauges.ts';

interface Dashboard {
  readonly panels: readonly { readonly title: string; readonly targets: readonly { readonly expr: string }[] }[];
}

/** Gauges that only a running server has. */
const OF_SERVE = ['pocketful_s3_waiting_objects', 'pocketful_degraded_reads'];

it('asks for metrics that there are', async () => {
  const dashboard: Dashboard = JSON.parse(
    readFileSync(new URL('../../docs/s3-dashboard.json', import.meta.url), 'utf8'),
  );
  const serve = readFileSync(new URL('../../bin/commands/serve/serving.ts', import.meta.url), 'utf8');
  const metrics = new ServerMetrics();
  const { body } = await metrics.text();
  const known = new Set([...body.matchAll(/^# TYPE (\S+)/gm)].map(([, name]) => name));
  for (const { name } of storeGauges(() => Promise.reject(new Error('not asked')), systemClock)) known.add(name);
  for (const name of OF_SERVE) if (serve.includes(`'${name}'`)) known.add(name);
  const asked = dashboard.panels.flatMap(({ targets }) =>
    targets.flatMap(({ expr }) => expr.match(/pocketful_\w+/g) ?? []),
  );
  expect(asked.length).toBeGreaterThan(15);
  expect(asked.filter((name) => !known.has(name.replace(/_(bucket|sum|count)$/, '')) && !known.has(name))).toEqual([]);
});
