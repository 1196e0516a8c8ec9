// kek-retiring | version: a KEK version that is about to be destroyed. Whoever writes new records looks for this row
// under the lease it appends by, and whoever puts it ends all leases from before (lib/volume/open/end-leases.ts): so no
// transaction has to check it.
import type { Key, Put } from '../panda.ts';

export const retiringKey = (version: number): Key => ({ partition: 'kek-retiring', sort: String(version) });

export const retiringKek = (version: number): Put => ({
  kind: 'put',
  ...retiringKey(version),
  attributes: { v: version },
});
