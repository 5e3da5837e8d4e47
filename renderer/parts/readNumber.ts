import { SwitchyardError } from '../../core/contract/errors.ts';
import { isDecimal, type IntegerField, type NumberField } from '../../core/contract/fields.ts';
import * as format from '../../core/contract/format.ts';

/**
 * A typed number.
 * @throws SwitchyardError `invalid-argument`, naming the field, what was typed and what would be right
 */
export function readNumber(field: IntegerField | NumberField, text: string): number {
  const { label, type, min, max } = field;
  const value = isDecimal(text.trim()) ? Number(text) : NaN;
  if (value >= min && value <= max && (type === 'number' || Number.isInteger(value))) return value;
  throw new SwitchyardError(
    'invalid-argument',
    `${label} is ${JSON.stringify(text)}, but must be a ${type === 'integer' ? 'whole ' : ''}number from ${format.setting(min)} to ${format.setting(max)}.`,
  );
}
