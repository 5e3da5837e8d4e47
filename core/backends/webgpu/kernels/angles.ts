/**
 * Sines and cosines of position · frequency that are right at any position. A GPU's own lose all
 * digits at large arguments, and f32 cannot hold a large angle: here an angle is a phase in turns, a
 * fixed-point fraction in a u32 that wraps around exactly as an angle does.
 */

/** Frequencies in turns a position, for positions of a limited size. */
export interface Frequencies {
  /** First 32 bits of the fractions, and the next {@link lowBits}. */
  readonly high: readonly number[];
  readonly low: readonly number[];
  /** As many as keep position · low below 2^32; at most 16. */
  readonly lowBits: number;
}

/**
 * @param radians angle by which each of the frequencies grows from one position to the next
 * @param furthest largest absolute position
 */
export function frequenciesOf(radians: readonly number[], furthest: number): Frequencies {
  const lowBits = Math.min(16, Math.clz32(furthest));
  const fractions = radians.map((angle) => {
    const turns = angle / (2 * Math.PI);
    return Math.round((turns - Math.floor(turns)) * 2 ** (32 + lowBits));
  });
  return {
    high: fractions.map((fraction) => Math.floor(fraction / 2 ** lowBits) % 2 ** 32),
    low: fractions.map((fraction) => fraction % 2 ** lowBits),
    lowBits,
  };
}

/**
 * WGSL: `rotation(position, i)`, the cosines and sines at an i32 position of frequency i, or of the
 * four frequencies from 4 · i on.
 */
export function rotationFunction({ high, low, lowBits }: Frequencies, vector: 1 | 4): string {
  const [unsigned, signed, float] =
    vector === 4 ? ['vec4u', 'vec4i', 'vec4f'] : ['u32', 'i32', 'f32'];
  const shift = (bits: number): string => (vector === 4 ? `vec4u(${bits}u)` : `${bits}u`);
  const table = (name: string, values: readonly number[]): string =>
    `const ${name} = array<${unsigned}, ${values.length / vector}>(${Array.from(
      { length: values.length / vector },
      (_, i) =>
        `${unsigned}(${values
          .slice(i * vector, (i + 1) * vector)
          .map((value) => `${value}u`)
          .join()})`,
    ).join()});`;
  // Taylor series for angles within an eighth of a turn: below 4e-9 for the sine, 3e-8 for the cosine.
  return `
${table('frequencyHigh', high)}
${table('frequencyLow', low)}

struct Rotation { cosine: ${float}, sine: ${float} }

fn rotation(position: i32, i: u32) -> Rotation {
  let size = u32(abs(position));
  let phase = size * frequencyHigh[i] + ((size * frequencyLow[i]) >> ${shift(lowBits)});
  let quarter = (phase + (1u << 29u)) >> ${shift(30)};
  let angle = ${float}(${signed}(phase - (quarter << ${shift(30)}))) * ${(2 * Math.PI) / 2 ** 32};
  let square = angle * angle;
  let sine = angle * (1.0 + square * (-1.0 / 6.0 + square * (1.0 / 120.0
    + square * (-1.0 / 5040.0 + square * (1.0 / 362880.0)))));
  let cosine = 1.0 + square * (-1.0 / 2.0 + square * (1.0 / 24.0
    + square * (-1.0 / 720.0 + square * (1.0 / 40320.0))));
  let isOdd = (quarter & ${unsigned}(1u)) == ${unsigned}(1u);
  let x = select(cosine, -sine, isOdd);
  let y = select(sine, cosine, isOdd);
  let sign = select(${float}(1.0), ${float}(-1.0), (quarter & ${unsigned}(2u)) == ${unsigned}(2u));
  return Rotation(sign * x, select(sign * y, -sign * y, position < 0));
}`;
}
