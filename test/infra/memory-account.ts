// An account with the rules of CloudFormation that emulators leave out: a creation that fails is taken back resource by resource, unless a
// policy keeps them or they refuse; a protected stack is not deleted; what another stack imports is not; a bucket with objects is not. Names
// that are given are there once. CDK deploys into it by its own rules, of aws-cdk's deploy-stack.ts.
import type { Template } from 'aws-cdk-lib/assertions';
import type { DataResource, StackFound, StageData, StageStacks } from '../../lib/client/aws/stage-stacks.ts';

interface Declared {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
}

interface Thing {
  readonly type: string;
  readonly policy: string | undefined;
  isProtected: boolean;
  isEmpty: boolean;
}

interface Stack {
  status: string;
  isProtected: boolean;
  readonly things: Map<string, string>;
  readonly imports: ReadonlySet<string>;
  readonly exports: ReadonlySet<string>;
}

const KINDS: Readonly<Record<string, DataResource['kind']>> = {
  'AWS::S3::Bucket': 'bucket',
  'AWS::DynamoDB::Table': 'table',
  'AWS::KMS::Key': 'key',
};
const GIVEN_NAMES = ['LogGroupName', 'FunctionName', 'QueueName', 'StateMachineName', 'AlarmName', 'DashboardName'];

export class MemoryAccount implements StageStacks, StageData {
  readonly #stacks = new Map<string, Stack>();
  readonly #things = new Map<string, Thing>();
  #made = 0;

  // CDK.

  /** `failing` is where CloudFormation fails: a stack, at its last resource. */
  cdkDeploy(templates: ReadonlyMap<string, Template>, isProtected: boolean, failing?: string): void {
    for (const [name, template] of templates) {
      if (['ROLLBACK_COMPLETE', 'ROLLBACK_FAILED'].includes(this.#stacks.get(name)?.status ?? ''))
        this.deleteStack(name);
      const json = template.toJSON() as { Resources: Record<string, Declared>; Outputs?: Record<string, unknown> };
      if (!this.#stacks.has(name)) this.#stacks.set(name, emptyStack(json, isProtected));
      this.#create(name, json.Resources, name === failing);
    }
  }

  cdkDestroy(names: readonly string[]): void {
    for (const name of names.toReversed()) if (this.#stacks.has(name)) this.deleteStack(name);
  }

  // CloudFormation.

  deleteStack(name: string): void {
    const stack = this.#stack(name);
    if (stack.isProtected) throw new Error(`Stack [${name}] cannot be deleted while TerminationProtection is enabled`);
    for (const other of this.#stacks.values())
      for (const exported of stack.exports)
        if (other.imports.has(exported)) throw new Error(`Export ${exported} cannot be deleted as it is in use`);
    if (!this.#deleteThings(stack, ['Retain', 'RetainExceptOnCreate'])) {
      stack.status = 'DELETE_FAILED';
      throw new Error(`${name}: DELETE_FAILED`);
    }
    this.#stacks.delete(name);
  }

  #create(name: string, resources: Readonly<Record<string, Declared>>, fails: boolean): void {
    const stack = this.#stack(name);
    if (stack.status !== 'REVIEW_IN_PROGRESS') return; // nothing to change
    for (const [id, { Type: type, Properties = {}, DeletionPolicy: policy }] of Object.entries(resources)) {
      const given = GIVEN_NAMES.map((property) => Properties[property]).find((value) => typeof value === 'string');
      const physical = given === undefined ? `${name}-${id}-${this.#made++}` : `${type} ${given}`;
      if (this.#things.has(physical)) throw new Error(`${physical} already exists`);
      const isProtected = Properties['DeletionProtectionEnabled'] === true;
      this.#things.set(physical, { type, policy, isProtected, isEmpty: true });
      stack.things.set(id, physical);
    }
    if (!fails) {
      stack.status = 'CREATE_COMPLETE';
      return;
    }
    stack.status = this.#deleteThings(stack, ['Retain']) ? 'ROLLBACK_COMPLETE' : 'ROLLBACK_FAILED';
    throw new Error(`${name}: ${stack.status}`);
  }

  /** False: not all of them let themselves be deleted. */
  #deleteThings(stack: Stack, keeping: readonly string[]): boolean {
    for (const [id, physical] of [...stack.things].toReversed()) {
      const thing = this.#things.get(physical);
      if (thing === undefined || keeping.includes(thing.policy ?? '')) continue;
      if (thing.isProtected || !thing.isEmpty) return false;
      this.#things.delete(physical);
      stack.things.delete(id);
    }
    return true;
  }

  #stack(name: string): Stack {
    const stack = this.#stacks.get(name);
    if (stack === undefined) throw new Error(`Stack ${name} does not exist`);
    return stack;
  }

  setStatus(name: string, status: string): void {
    this.#stack(name).status = status;
  }

  // The ports.

  async find(prefix: string): Promise<StackFound[]> {
    const found = [...this.#stacks].filter(([name]) => name.startsWith(prefix));
    return found.map(([name, { status, isProtected }]) => ({ name, status, isProtected }));
  }

  async protect(stack: string, isProtected: boolean): Promise<void> {
    this.#stack(stack).isProtected = isProtected;
  }

  async dataOf(stack: string): Promise<DataResource[]> {
    return [...this.#stack(stack).things.values()].flatMap((id) => this.#dataAt(id));
  }

  async protectTable(table: string): Promise<void> {
    this.#thing(table).isProtected = true;
  }

  async isTableEmpty(table: string): Promise<boolean> {
    return this.#things.get(table)?.isEmpty ?? true;
  }

  async deleteTable(table: string): Promise<void> {
    this.#things.delete(table);
  }

  async deleteBucket(bucket: string): Promise<boolean> {
    if (this.#things.get(bucket)?.isEmpty === false) return false;
    this.#things.delete(bucket);
    return true;
  }

  async deleteKey(key: string): Promise<void> {
    this.#things.delete(key);
  }

  // What tests look at.

  /** Kinds of what there is, with or without a stack. */
  get data(): readonly (DataResource & { readonly isProtected: boolean })[] {
    return [...this.#things].flatMap(([id, { isProtected }]) =>
      this.#dataAt(id).map((one) => ({ ...one, isProtected })),
    );
  }

  get thingCount(): number {
    return this.#things.size;
  }

  write(id: string): void {
    this.#thing(id).isEmpty = false;
  }

  #thing(id: string): Thing {
    const thing = this.#things.get(id);
    if (thing === undefined) throw new Error(`${id} does not exist`);
    return thing;
  }

  #dataAt(id: string): DataResource[] {
    const kind = KINDS[this.#things.get(id)?.type ?? ''];
    return kind === undefined ? [] : [{ kind, id }];
  }
}

function emptyStack(json: object, isProtected: boolean): Stack {
  const found = (pattern: RegExp): Set<string> =>
    new Set([...JSON.stringify(json).matchAll(pattern)].map(([, name]) => name as string));
  return {
    // CDK makes the change set, protects the stack, and only then lets it be made.
    status: 'REVIEW_IN_PROGRESS',
    isProtected,
    things: new Map(),
    imports: found(/"Fn::ImportValue":"([^"]+)"/g),
    exports: found(/"Export":\{"Name":"([^"]+)"/g),
  };
}
