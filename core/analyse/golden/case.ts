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

  /** @throws SwitchyardError('invalid-data') for values that no 32-bit integer holds */
  integers(tensor: string): Int32Array {
    const values = this.file.read(`${this.name}.${tensor}`);
    const numbers = Array.from<number | bigint, number>(values, Number);
    const wrong = numbers.find((value) => (value | 0) !== value);
    if (wrong !== undefined)
      throw new SwitchyardError(
        'invalid-data',
        `The tensor "${this.name}.${tensor}" has the value ${wrong}, but must have whole numbers of 32 bits.`,
      );
    return Int32Array.from(numbers);
  }

  /** A whole number of the json entry, within bounds. */
  size(key: string, { min = 1, max = 2 ** 31 - 1 } = {}): number {
    const value = this.sizes[key];
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
      throw new SwitchyardError(
        'invalid-data',
        `Case ${this.name} needs "${key}" in its json entry, a whole number from ${min} to ${max}, not ${JSON.stringify(value)}.`,
      );
    return value;
  }

  /** Whether any parameter's name matches. */
  someParameter(pattern: RegExp): boolean {
    return this.names('param').some((name) => pattern.test(name));
  }

  /** Whether a parameter is a stack of expert matrices; false where there is no such tensor. */
  isExpert(pattern: RegExp): boolean {
    const name = this.names('param').find((parameter) => pattern.test(parameter));
    const shape = this.file.tensors.get(`${this.name}.param.${name}`)?.shape;
    return shape?.length === 3;
  }

  /** Axes of a tensor. @throws SwitchyardError('invalid-data') naming the tensor that is missing */
  shape(tensor: string): readonly number[] {
    const found = this.file.tensors.get(`${this.name}.${tensor}`);
    if (found === undefined)
      throw new SwitchyardError(
        'invalid-data',
        `The tensor "${this.name}.${tensor}" is missing from ${this.file.path}.`,
      );
    return found.shape;
  }

  /** A word of the json entry; undefined where there is none. */
  word(key: string): string | undefined {
    const value = this.sizes[key];
    return typeof value === 'string' ? value : undefined;
  }

  /** Whether the json entry's flags say so; undefined where they do not speak of it. */
  flag(key: string): boolean | undefined {
    const { flags } = this.sizes;
    const value: unknown =
      typeof flags === 'object' && flags !== null ? (flags as Sizes)[key] : undefined;
    return typeof value === 'boolean' ? value : undefined;
  }

  /** A language model, with tokens and losses; otherwise a single layer. */
  get isLanguageModel(): boolean {
    return this.someParameter(/^embedding\.|^output\.|^unique_layers\./u);
  }

  /** Undefined for a feed-forward on its own. */
  get attention(): 'dense' | 'switchhead' | 'moa' | undefined {
    if (this.someParameter(/(^|\.)(sel_[vo]|selections\.[qkvo]|projections\.[qkvo])$/u))
      return 'switchhead';
    if (this.someParameter(/(^|self_attn\.)(sel_dst|data_to_q|data_to_kv)$/u)) return 'moa';
    const isDense = this.someParameter(/(^|\.)(data_to_q|data_to_kv|out_proj|multi_head_merge)\./u);
    return isDense || this.isLanguageModel ? 'dense' : undefined;
  }

  get isSigmaMoe(): boolean {
    return this.someParameter(/(^|\.)(expert_sel|keys|values)$/u);
  }

  /** Transformer-XL positions: by their projection, or, should that be missing, by what else is said. */
  get isRelative(): boolean {
    const { mem, mem_chunks: chunks, source } = this.sizes;
    return (
      this.someParameter(/pos_to_p[kq]|global_(content|pos)_bias/u) ||
      Number(mem ?? chunks ?? 0) > 0 ||
      /XL\b|Relative|MoA/u.test(String(source))
    );
  }

  /** Why this version cannot run the case; undefined when it can. */
  unsupported(): string | undefined {
    const expected = {
      // A layer can look both ways, as a classifier's does; a language model cannot.
      ...(this.isLanguageModel ? { causal: true } : {}),
      rotate_fraction: 0.5,
      rope_base: 10_000,
      activation: 'relu',
      tied: false,
    };
    for (const [key, value] of Object.entries(expected)) {
      const given = this.sizes[key] ?? value;
      if (given !== value)
        return `${key} is ${JSON.stringify(given)}, this version computes with ${JSON.stringify(value)}`;
    }
    return undefined;
  }
}
