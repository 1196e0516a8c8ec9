import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { sqsBody, textOfSqsBody } from '../../lib/stream/sqs-body.ts';

describe('bodies of SQS messages', () => {
  it('come back as they were, and hold only what SQS takes', () => {
    const anyText = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), fc.constant('base64:x'));
    fc.assert(
      fc.property(anyText, (text) => {
        const body = sqsBody(text);
        expect(textOfSqsBody(body)).toBe(text);
        expect(body).toMatch(/^[\t\n\r\u{20}-\u{d7ff}\u{e000}-\u{fffd}\u{10000}-\u{10ffff}]+$/u);
      }),
    );
  });

  it('stay readable where they can', () => {
    expect(sqsBody('{"v":1}')).toBe('{"v":1}');
    expect(textOfSqsBody('by hand')).toBe('by hand');
  });
});
