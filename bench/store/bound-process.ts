// Child process of the bench of the store: the bounds.
import { PRESETS } from '../../lib/settings/settings.ts';
import { clearBoundFolders, encodeBound, makeBoundFolders, putBound } from '../bounds.ts';
import { serve } from './rounds.ts';

/** As many appends at once as the store: three batches of small files, or three segments of long ones. */
const GROUPS_AT_ONCE = 3;

const folder = process.argv[2] as string;
const settings = PRESETS.personal;
let hot: Awaited<ReturnType<typeof putBound>> = [];
makeBoundFolders(folder, 16);

serve(async (order) => {
  switch (order.what) {
    case 'put': {
      hot.push(...(await putBound(folder, settings, order.files, GROUPS_AT_ONCE)));
      return order.files.reduce((sum, { bytes }) => sum + bytes, 0);
    }
    case 'encode':
      return encodeBound(folder, settings, hot);
    case 'clear':
      hot = [];
      clearBoundFolders(folder);
      return 0;
    default:
      return 0;
  }
});
