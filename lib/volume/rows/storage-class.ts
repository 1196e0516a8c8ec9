// In which storage class a volume's objects are kept: hot ones stay a day or two, and no class bills so little.
import type { StorageClass } from '../../cost/price-book.ts';
import type { VolumeClass } from '../../panda/rows/volume-row.ts';
import type { Components } from './components.ts';

export const storageClassOf = (
  { warmClass }: Pick<Components, 'warmClass'>,
  volume: { readonly class: VolumeClass },
): StorageClass | undefined => (volume.class === 'warm' ? warmClass : undefined);
