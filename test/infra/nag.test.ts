// The AwsSolutions pack of cdk-nag over a durable and an ephemeral stage: nothing is found that is not acknowledged, and the pack does look.
import { App, Stack, Validations } from 'aws-cdk-lib';
import { CfnBucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { synthStage } from './synth.ts';

const nag = (app: App): void => {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
};

describe('cdk-nag', () => {
  it.each([
    ['durable', { stage: 'prod', alarmEmail: 'somebody@example.com' }],
    [
      'ephemeral',
      { stage: 'test', preset: 'thrifty', ephemeral: 'true', journal: 'false', events: 'true', tracing: 'true' },
    ],
  ])('finds nothing in a %s stage but what is acknowledged', (_, context) => {
    // What is found without being acknowledged fails the synthesis.
    expect(synthStage(context, nag).all).toHaveLength(4);
  });

  it('does look: a bucket without anything is not let through', () => {
    const app = new App();
    nag(app);
    new CfnBucket(new Stack(app, 'Plain'), 'Bucket');
    expect(() => app.synth()).toThrow(/AwsSolutions-S10/);
  });
});
