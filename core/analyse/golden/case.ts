import { SwitchyardError } from '../../contract/errors.ts';
import type { SafetensorsFile } from '../../data/safetensors.ts';

/** Sizes of a case as the json names them. */
export type Sizes = Readonly<Record<string, unknown>>;

/** One case's tensors and sizes. */
export class GoldenCase {
  readonly name: string;
  readonly sizes: Sizes;
  private readonly file: SafetensorsFile;

  constructor(name: string, sizes: Sizes, file: SafetensorsFile) {
    this.name = name;
    this.sizes = sizes;
    this.file = file;
  }

  has(tensor: string): boolean {
    return this.file.tensors.has(`${this.name}.${tensor}`);
  }

  /** Names after `<case>.<kind>.`. */
  names(kind: string): string[] {
    const prefix = `${this.name}.${kind}.`;
    return [...this.file.tensors.keys()]
      .filter((key) => key.startsWith(prefix))
      .map((key) => key.slice(prefix.length));
  }

  floats(tensor: string): Float32Array {
    return this.file.readFloat32(`${this.name}.${tensor}`);
  }

  integers(tensor: string): Int32Array {
    const values = this.file.read(`${this.name}.${tensor}`);
    if (values instanceof Int32Array) return values;
    return Int32Array.from(values, Number);
  }

  size(key: string): number {
    const value = this.sizes[key];
    if (typeof value !== 'number' || !Number.isInteger(value))
      throw new SwitchyardError(
        'invalid-data',
        `Case ${this.name} needs the whole number "${key}" in its json entry, not ${JSON.stringify(value)}.`,
      );
    return value;
  }

  /** Whether any parameter's name matches. */
  someParameter(pattern: RegExp): boolean {
    return this.names('param').some((name) => pattern.test(name));
  }

  /** A language model, with tokens and losses; otherwise a single layer. */
  get isLanguageModel(): boolean {
    return this.someParameter(/^embedding\.|^output\.|^unique_layers\./u);
  }

  get isSwitchHead(): boolean {
    return this.someParameter(/(^|\.)(sel_[vo]|selections\.[vo]|projections\.[qkvo])$/u);
  }

  get isSigmaMoe(): boolean {
    return this.someParameter(/(^|\.)(expert_sel|keys|values)$/u);
  }

  /**
   * Why this version cannot run the case; undefined when it can. Only what is recognised as something
   * else is unsupported: a case that merely lacks a tensor fails, naming it.
   */
  unsupported(): string | undefined {
    if (this.names('param').length === 0) return undefined;
    if (this.someParameter(/pos_to_p[kq]/u))
      return 'Transformer-XL positions are not supported yet';
    if (this.isLanguageModel)
      return this.sizes.mem_chunks === 0 ? undefined : 'cached chunks are not supported yet';
    return this.isSwitchHead || this.isSigmaMoe ? undefined : 'this layer is not supported yet';
  }
}
