/**
 * How a configuration field is declared. Each field is declared once (config.ts); types, defaults,
 * validation, command-line help and the app's controls all derive from that declaration.
 */
interface FieldBase<T> {
  readonly default: T;
  readonly label: string;
  /** One or two sentences: what it does and when to change it. */
  readonly help: string;
  /** Unit shown beside the control, for example "tokens" or "steps". */
  readonly unit?: string;
  /** The field only has an effect when another field of the same group has one of these values. */
  readonly when?: Readonly<Record<string, readonly (string | number | boolean)[]>>;
}

export interface IntegerField extends FieldBase<number> {
  readonly type: 'integer';
  readonly min: number;
  readonly max: number;
}
export interface NumberField extends FieldBase<number> {
  readonly type: 'number';
  readonly min: number;
  readonly max: number;
  /** Whether the value must be strictly greater than `min`. */
  readonly exclusiveMin?: boolean;
}
export interface ChoiceField<C extends string> extends FieldBase<C> {
  readonly type: 'choice';
  readonly choices: readonly C[];
}
export interface TextField extends FieldBase<string> {
  readonly type: 'text';
  /** A regular expression the whole value must match, with the sentence shown when it does not. */
  readonly pattern: string;
  readonly patternHelp: string;
}
export type Field = IntegerField | NumberField | ChoiceField<string> | TextField;

export type ValueOf<F> =
  F extends ChoiceField<infer C>
    ? C
    : F extends IntegerField | NumberField
      ? number
      : F extends TextField
        ? string
        : never;

export const integer = (field: Omit<IntegerField, 'type'>): IntegerField => ({
  type: 'integer',
  ...field,
});
export const number = (field: Omit<NumberField, 'type'>): NumberField => ({
  type: 'number',
  ...field,
});
export const choice = <const C extends string>(
  field: Omit<ChoiceField<C>, 'type'>,
): ChoiceField<C> => ({ type: 'choice', ...field });
export const text = (field: Omit<TextField, 'type'>): TextField => ({ type: 'text', ...field });

/** Whether a text is a number in decimal notation, also with an exponent. `Number` reads 0x10 as well. */
export const isDecimal = (text: string): boolean =>
  /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/iu.test(text);
