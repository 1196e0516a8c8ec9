import { describe, expect, it } from 'vitest';
import { sqsError } from '../../lib/stream/sqs-errors.ts';

const named = (name: string): Error => Object.assign(new Error('no'), { name });

describe('errors of SQS', () => {
  it.each([
    ['AccessDenied', 'denied', 'STREAM_DENIED'],
    ['CredentialsProviderError', 'denied', 'STREAM_DENIED'],
    ['QueueDoesNotExist', 'missing', 'STREAM_MISSING'],
    ['RequestThrottled', 'retry', 'STREAM_BUSY'],
    ['TimeoutError', 'retry', 'STREAM_BUSY'],
  ])('%s is %s %s', (name, kind, code) => {
    expect(sqsError('sqs:SendMessage', named(name))).toMatchObject({ kind, code, cause: { name } });
  });

  it('are busy when nobody knows what they are', () => {
    expect(sqsError('sqs:SendMessage', 'gone')).toMatchObject({ kind: 'retry', code: 'STREAM_BUSY' });
  });
});
