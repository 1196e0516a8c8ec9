// The rules that start what runs by itself, over plain HTTP, as the project has no client of EventBridge. Stopped, they
// keep their place and have no targets: the emulator goes on firing a rule that is disabled, and a rule without targets
// does nothing on AWS either.
import { expect } from 'vitest';

interface Rule {
  readonly Name: string;
  readonly State: string;
  readonly ScheduleExpression: string;
}

interface Stopped extends Rule {
  readonly targets: readonly { readonly Id: string }[];
}

async function call<Answer>(action: string, body: object): Promise<Answer> {
  const answer = await fetch(process.env['AWS_ENDPOINT_URL'] ?? '', {
    method: 'POST',
    headers: {
      authorization:
        'AWS4-HMAC-SHA256 Credential=test/20200101/us-east-1/events/aws4_request, SignedHeaders=host, Signature=0',
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `AWSEvents.${action}`,
    },
    body: JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`events:${action}: ${answer.status} ${text}`);
  return JSON.parse(text || '{}');
}

export class ScheduleRules {
  readonly #stage: string;
  readonly #stopped = new Map<string, Stopped>();

  constructor(stage: string) {
    this.#stage = stage;
  }

  /** Of all that runs by itself, by what it starts: `compaction`, `drainer` and so on. */
  async found(): Promise<ReadonlyMap<string, Rule>> {
    const prefix = `pocketful-${this.#stage}-`;
    const { Rules } = await call<{ Rules: readonly Rule[] }>('ListRules', { NamePrefix: prefix });
    return new Map(Rules.map((rule) => [rule.Name.split('-').at(-1) ?? '', rule]));
  }

  /** Tests that start every step themselves want nobody else to. */
  async stop(): Promise<void> {
    for (const rule of (await this.found()).values()) {
      const { Targets: targets } = await call<{ Targets: Stopped['targets'] }>('ListTargetsByRule', {
        Rule: rule.Name,
      });
      // Those that were stopped before have none.
      if (!this.#stopped.has(rule.Name)) expect(targets.length, rule.Name).toBeGreaterThan(0);
      if (targets.length === 0) continue;
      await call('RemoveTargets', { Rule: rule.Name, Ids: targets.map(({ Id }) => Id) });
      this.#stopped.set(rule.Name, { ...rule, targets });
    }
  }

  /** Nobody waits an hour here: the same rules with the same targets, every minute. */
  async everyMinute(...whats: readonly string[]): Promise<void> {
    const rules = [...this.#stopped.values()].filter(({ Name }) => whats.some((what) => Name.endsWith(`-${what}`)));
    expect(rules).toHaveLength(whats.length);
    for (const { Name, targets } of rules) {
      await call('PutRule', { Name, ScheduleExpression: 'rate(1 minute)', State: 'ENABLED' });
      await call('PutTargets', { Rule: Name, Targets: targets });
    }
  }
}
