/** What kernels are given while they are made, for counting their scratch and for a program. */
import { SwitchyardError } from '../../contract/errors.ts';
import { sizeOf, type Tensor } from '../../graph/graph.ts';
import {
  rangeAlignment,
  rangeBytes,
  type Dispatch,
  type ElementType,
  type Operand,
  type Ranges,
  type Setup,
} from './kernel.ts';
import type { DeviceFacts } from './loadWebgpu.ts';
import type { StorageTypes } from './storage.ts';

export interface Rules {
  readonly facts: DeviceFacts;
  readonly storage: StorageTypes;
}

/** Hands out ranges of one buffer, one after the other. */
export class RangeAllocator {
  bytes = 0;
  private readonly place: string;

  constructor(place: string) {
    this.place = place;
  }

  take(type: ElementType, length: number): Operand {
    const operand: Operand = { place: this.place, offset: this.bytes, length, type, vector: 1 };
    this.bytes += Math.ceil(rangeBytes(operand) / rangeAlignment) * rangeAlignment;
    return operand;
  }
}

/** A tensor as an operand at a place. */
export function tensorOperand(
  tensor: Tensor,
  place: string,
  offset: number,
  rules: Rules,
): Operand {
  return {
    place,
    offset,
    length: sizeOf(tensor.shape),
    type: rules.storage.of(tensor),
    vector: 1,
  };
}

/**
 * A setup for making kernels only to count what they need.
 * @param onDerived told of everything derived that is asked for, again and again
 */
export function countingSetup(
  rules: Rules,
  scratch: RangeAllocator,
  onDerived: (place: string, bytes: number) => void = () => undefined,
): Setup {
  return {
    facts: rules.facts,
    operand: (tensor) => tensorOperand(tensor, `tensor ${tensor.id}`, 0, rules),
    scratch: (type, length) => scratch.take(type, length),
    derived: (tensor, key, ranges) => {
      const place = derivedPlace(tensor, key);
      const made = derivedRanges(place, ranges);
      onDerived(place, made.bytes);
      return made.ranges;
    },
  };
}

/** Scratch that a kernel asks for, found by making it for nothing. */
export function scratchBytes(rules: Rules, make: (setup: Setup) => readonly Dispatch[]): number {
  const scratch = new RangeAllocator('scratch');
  make(countingSetup(rules, scratch));
  return scratch.bytes;
}

/** The place of something derived from a tensor. */
export const derivedPlace = (tensor: Tensor, key: string): string => `derived ${tensor.id} ${key}`;

/** The ranges of something derived, in a buffer of its own. */
export function derivedRanges<N extends string>(
  place: string,
  ranges: Readonly<Record<N, readonly [ElementType, number]>>,
): { ranges: Ranges<N>; bytes: number } {
  const allocator = new RangeAllocator(place);
  const entries = Object.entries(ranges) as [N, readonly [ElementType, number]][];
  const made = Object.fromEntries(
    entries.map(([name, [type, length]]) => [name, allocator.take(type, length)]),
  ) as Ranges<N>;
  return { ranges: made, bytes: allocator.bytes };
}

/** @throws SwitchyardError('out-of-memory') when a kernel of an op cannot see all of an operand at once */
export function requireBindable(operand: Operand, facts: DeviceFacts, op: string): void {
  if (rangeBytes(operand) > facts.bindingBytes)
    throw new SwitchyardError(
      'out-of-memory',
      `A tensor of ${op} takes ${mebibytes(rangeBytes(operand))}, but a kernel on this GPU can use at most ${mebibytes(facts.bindingBytes)} of one tensor. A smaller batch or context needs less.`,
    );
}

/** A size for people; exact where two that differ could look equal. */
export function mebibytes(bytes: number): string {
  const size = bytes / 2 ** 20;
  return `${Number.isInteger(size) ? size : size.toFixed(3)} MiB`;
}
