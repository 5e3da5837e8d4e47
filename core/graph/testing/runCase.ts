/** Runs a case of cases.ts on an executor. */
import type { Executor, Feed, Outputs, Program } from '../executor.ts';
import { Graph, type Tensor } from '../graph.ts';
import { plan } from '../plan.ts';
import { caseUniforms, type OpCase } from './cases.ts';

/** The case's graph: its inputs by the names that {@link feedOf} uses, and the op's outputs. */
export function graphOf(opCase: OpCase): {
  graph: Graph;
  inputs: readonly Tensor[];
  outputs: readonly Tensor[];
} {
  const graph = new Graph();
  const inputs = opCase.inputs.map(({ shape, dtype }, i) =>
    graph.input(inputName(i), shape, dtype),
  );
  return { graph, inputs, outputs: opCase.build(inputs, graph) };
}

export const inputName = (index: number): string => `input${index}`;
export const outputName = (index: number): string => `output${index}`;

export function feedOf(opCase: OpCase): Feed {
  return {
    inputs: Object.fromEntries(opCase.inputs.map(({ values }, i) => [inputName(i), values])),
    uniforms: caseUniforms,
  };
}

/** A program that hands back the op's outputs as output0, output1, … */
export function compileCase(executor: Executor, opCase: OpCase): Program {
  const { graph, outputs } = graphOf(opCase);
  const named = Object.fromEntries(outputs.map((tensor, i) => [outputName(i), tensor]));
  return executor.compile(plan(graph, { outputs: named, costs: executor }));
}

/** Runs once and cleans up. */
export async function runCase(executor: Executor, opCase: OpCase): Promise<Outputs> {
  const program = compileCase(executor, opCase);
  try {
    return await program.run(feedOf(opCase));
  } finally {
    program.dispose();
  }
}
