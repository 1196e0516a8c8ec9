// Which namespaces a store on this machine has objects in.
import { openEmbedded } from '../../engine/wire/embedded.ts';
import { objectPartition } from '../../panda/rows/object-row.ts';

export async function namespacesIn(dir: string): Promise<string[]> {
  const store = await openEmbedded(dir);
  try {
    const prefix = objectPartition('');
    const found = new Set<string>();
    for await (const page of store.components.panda.scan())
      for (const { partition } of page) if (partition.startsWith(prefix)) found.add(partition.slice(prefix.length));
    return [...found].sort();
  } finally {
    await store.close();
  }
}
