// The calls that a world's store of rows gets from now on: `get bucket`, `query group`, `write damage damage volume`.
import type { Key } from '../../../lib/panda/panda.ts';
import type { ReadingWorld } from '../reading-world.ts';

const tableOf = ({ partition }: Pick<Key, 'partition'>): string => partition.split('/')[0] as string;

/** What was asked since the last time. */
export function toldCalls({ panda }: ReadingWorld): () => string[] {
  const calls: string[] = [];
  const [get, getMany, query, transact] = [panda.get, panda.getMany, panda.query, panda.transact].map((call) =>
    call.bind(panda),
  ) as [typeof panda.get, typeof panda.getMany, typeof panda.query, typeof panda.transact];
  panda.get = (key) => {
    calls.push(`get ${tableOf(key)}`);
    return get(key);
  };
  panda.getMany = (keys) => {
    calls.push(`get ${keys.map(tableOf).join(' ')}`);
    return getMany(keys);
  };
  panda.query = (partition, ...rest) => {
    calls.push(`query ${tableOf({ partition })}`);
    return query(partition, ...rest);
  };
  panda.transact = (writes) => {
    calls.push(`write ${writes.map(tableOf).join(' ')}`);
    return transact(writes);
  };
  return () => calls.splice(0);
}
