/**
 * Kernels over the rows of a matrix [rows, width]: a team of neighbouring threads takes a row, thread i
 * of it the vectors i, i + lanes, …. Rows of usual widths are read once and held in registers.
 */
import { grid, floats, threads } from './grid.ts';

export interface RowLayout {
  readonly rows: number;
  /** Elements that are read as one. */
  readonly vector: 1 | 4;
  /** Vectors of a row. */
  readonly columns: number;
  /** Threads of a row, a power of two. */
  readonly lanes: number;
  /** Rows that a workgroup treats at once. */
  readonly teams: number;
  /** Vectors of a thread, at most. */
  readonly turns: number;
  /** Whether a thread holds its vectors in registers; otherwise it reads them in every sweep. */
  readonly held: boolean;
}

/** Vectors that a thread holds without running out of registers. */
const mostHeld = 8;

/** How `rows` rows of `width` elements are shared out. */
export function rowLayout(rows: number, width: number): RowLayout {
  const vector = width % 4 === 0 ? 4 : 1;
  const columns = width / vector;
  let lanes = 1;
  while (lanes < threads && 4 * lanes < columns) lanes *= 2;
  const turns = Math.ceil(columns / lanes);
  const teams = threads / lanes;
  return { rows, vector, columns, lanes, teams, turns, held: turns <= mostHeld };
}

/** Workgroups, each of which treats `teams` rows. */
export const rowGrid = ({ rows, teams }: RowLayout): readonly [number, number, number] =>
  grid(Math.ceil(rows / teams));

/** WGSL: the entry point of a kernel whose body knows `thread`, `group`, and its `team` and `lane`. */
export function teamMain({ lanes }: RowLayout, body: string): string {
  return `
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) _group: vec3u,
  @builtin(num_workgroups) _groups: vec3u,
  @builtin(local_invocation_index) thread: u32,
) {
  let group = _group.y * _groups.x + _group.x;
  let team = thread / ${lanes}u;
  let lane = thread % ${lanes}u;
${body}
}`;
}

/** WGSL: the `row` of a team; past the last row nothing is swept, but barriers are still met. */
export const rowOf = ({ rows, columns }: RowLayout, row: string): string => `
  let row = ${row};
  let inside = row < ${rows}u;
  let start = row * ${columns}u;
  let end = select(0u, ${columns}u, inside);`;

/** WGSL: the entry point of a kernel that treats one row a team; see {@link rowOf}. */
export const rowMain = (layout: RowLayout, body: string): string =>
  teamMain(layout, `${rowOf(layout, `group * ${layout.teams}u + team`)}\n${body}`);

export interface RowSweep {
  /** WGSL that reads what is held. Comes first. */
  readonly load: string;
  /**
   * WGSL that runs `body` for every vector of the thread. In it `c` is the vector's place in the row,
   * `at` its place in the matrix, and the loaded values go by their names. `turn` is a number in text,
   * for variables of every turn, where the layout is held.
   */
  each(body: (turn: number) => string): string;
}

/**
 * Goes over a row as often as needed.
 * @param loads WGSL by name, in terms of c and at
 */
export function rowSweep(layout: RowLayout, loads: Readonly<Record<string, string>>): RowSweep {
  const { lanes, turns, vector, held } = layout;
  const names = Object.keys(loads);
  const define = (value: (name: string) => string) =>
    names.map((name) => `let ${name} = ${value(name)};`).join(' ');
  if (!held)
    return {
      load: '',
      each: (body) => `
  for (var c = lane; c < end; c += ${lanes}u) {
    let at = start + c;
    ${define((name) => loads[name])}
    ${body(0)}
  }`,
    };
  const each = (body: (turn: number) => string): string =>
    Array.from({ length: turns }, (_, turn) => {
      const c = `let c = lane + ${turn * lanes}u;`;
      return `\n  { ${c} if (c < end) { let at = start + c; ${body(turn)} } }`;
    }).join('');
  const declared = names.flatMap((name) =>
    Array.from({ length: turns }, (_, turn) => `\n  var ${name}${turn}: ${floats(vector)};`),
  );
  const read = each((turn) => names.map((name) => `${name}${turn} = ${loads[name]};`).join(' '));
  return {
    load: declared.join('') + read,
    each: (body) => each((turn) => `${define((name) => `${name}${turn}`)} ${body(turn)}`),
  };
}
