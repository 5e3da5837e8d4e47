/** How a method of the contract is implemented: checks of its arguments, and a plain function. */
import type { AbortSignal, Input, MethodName, Output } from '../contract/protocol.ts';
import { checkInput, type Checks } from './arguments.ts';

/** `signal` cancels the methods that can be cancelled. */
export type Handler<M extends MethodName> = (
  input: Input<M>,
  signal?: AbortSignal,
) => Promise<Output<M>>;
export type Handlers = { readonly [M in MethodName]: Handler<M> };

/** A handler that checks its input, whoever calls it, before `run` sees it. */
export function handler<M extends MethodName>(
  method: M,
  checks: Checks<Input<M>>,
  run: (input: Input<M>, signal?: AbortSignal) => Output<M> | Promise<Output<M>>,
): Handler<M> {
  return async (input, signal) => run(checkInput(method, checks, input), signal);
}
