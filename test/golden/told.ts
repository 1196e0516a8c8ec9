import { isPocketfulError } from '../../lib/foundation/errors.ts';

/** What it gives, or the code it fails with. */
export async function told(what: () => Promise<unknown>): Promise<unknown> {
  try {
    return await what();
  } catch (error) {
    if (!isPocketfulError(error)) throw error;
    return `${error.kind} ${error.code}: ${error.message}`;
  }
}
