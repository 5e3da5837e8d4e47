/** The form for making ListOps data: what was typed, read as the options of `datasets.generateListops`. */
import { toErrorRecord } from '../../../core/contract/errors.ts';
import {
  listopsFields,
  listopsOperators,
  type ListopsOperator,
  type ListopsOptions,
} from '../../../core/contract/listops.ts';
import { readNumber } from '../../parts/readNumber.ts';

export type ListopsField = keyof typeof listopsFields;
export const listopsFieldNames = Object.keys(listopsFields) as ListopsField[];
export type ListopsTexts = Readonly<Record<ListopsField, string>>;

export const usualTexts = Object.fromEntries(
  listopsFieldNames.map((name) => [name, String(listopsFields[name].default)]),
) as ListopsTexts;

export interface ListopsReading {
  /** Null while something is not usable. */
  options: ListopsOptions | null;
  /** Sentences by field name; `operators` for the set of them. */
  errors: Readonly<Partial<Record<ListopsField | 'operators', string>>>;
}

/** Reads the form. Whether some limits can be met together is for the generator to say. */
export function readListops(
  texts: ListopsTexts,
  operators: readonly ListopsOperator[],
): ListopsReading {
  const errors: Partial<Record<ListopsField | 'operators', string>> = {};
  const numbers: Partial<Record<ListopsField, number>> = {};
  for (const name of listopsFieldNames)
    try {
      numbers[name] = readNumber(listopsFields[name], texts[name]);
    } catch (error) {
      errors[name] = toErrorRecord(error).message;
    }
  const { minLength, maxLength } = numbers;
  if (minLength !== undefined && maxLength !== undefined && minLength > maxLength)
    errors.minLength = `${listopsFields.minLength.label} is ${minLength}, but must be at most the longest, ${maxLength}.`;
  if (operators.length === 0) errors.operators = 'Choose at least one operator.';
  if (Object.keys(errors).length > 0) return { options: null, errors };
  // In the order of their declaration, whatever the order in which they were chosen.
  const chosen = listopsOperators.filter((each) => operators.includes(each));
  return { options: { ...(numbers as Record<ListopsField, number>), operators: chosen }, errors };
}
