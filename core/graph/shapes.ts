/** Small helpers for shape rules. A shape that does not fit is a mistake of the model's builder. */
import { SwitchyardError } from '../contract/errors.ts';
import { sizeOf, type DType, type TensorType } from './graph.ts';

export const f32 = (...shape: number[]): TensorType => ({ shape, dtype: 'f32' });
export const i32 = (...shape: number[]): TensorType => ({ shape, dtype: 'i32' });

/** Throws unless `condition` holds. */
export function requireShape(condition: boolean, op: string, message: string): asserts condition {
  if (!condition) throw new SwitchyardError('internal', `${op}: ${message}`);
}

export function requireType(type: TensorType, dtype: DType, op: string, name: string): void {
  requireShape(type.dtype === dtype, op, `${name} must be ${dtype}, not ${type.dtype}.`);
}

export const show = (type: TensorType): string => `[${type.shape.join(', ')}]`;

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((length, axis) => length === b[axis]);
}

export function requireSame(a: TensorType, b: TensorType, op: string): void {
  requireShape(sameShape(a.shape, b.shape), op, `shapes ${show(a)} and ${show(b)} differ.`);
}

/** All axes but the last. */
export const lead = (shape: readonly number[]): number[] => shape.slice(0, -1);
/** The last axis. */
export const last = (shape: readonly number[]): number => shape[shape.length - 1];
/** Rows when all leading axes are flattened into one. */
export const rowsOf = (shape: readonly number[]): number => sizeOf(lead(shape));
