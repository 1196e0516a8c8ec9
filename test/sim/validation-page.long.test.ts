// docs/simulator.md is what this release computes, to the letter: a page that does not reproduce is not to be believed.
import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { validate, validationPage } from '../../lib/sim/validation.ts';

it('is the page that `sim validate` writes', () => {
  const page = readFileSync(new URL('../../docs/simulator.md', import.meta.url), 'utf8');
  expect(validationPage(validate())).toBe(page);
}, 3_600_000);
