/** Rotary positions as a loop. */
import { ropeAngle } from '../../../graph/ops/rope.ts';
import type { Kernels } from '../kernel.ts';
import { onHost } from './onHost.ts';

export const hostRope: Pick<Kernels, 'rope'> = {
  rope: {
    prepare: (node, setup) => {
      const { heads, rotated, base, offset, inverse } = node.attributes;
      const [, length, channels] = node.inputs[0].shape;
      const width = channels / heads;
      const half = rotated / 2;
      const cos = new Float64Array(length * half);
      const sin = new Float64Array(length * half);
      for (let t = 0; t < length; t++) {
        for (let i = 0; i < half; i++) {
          const angle = ropeAngle(offset + t, i, rotated, base);
          cos[t * half + i] = Math.cos(angle);
          sin[t * half + i] = inverse ? -Math.sin(angle) : Math.sin(angle);
        }
      }
      return onHost(node, setup, ([x], [y]) => {
        y.set(x);
        for (let token = 0, start = 0; start < x.length; token++) {
          const angles = (token % length) * half;
          for (let h = 0; h < heads; h++, start += width) {
            for (let i = 0; i < half; i++) {
              const first = x[start + i];
              const second = x[start + half + i];
              const c = cos[angles + i];
              const s = sin[angles + i];
              y[start + i] = first * c - second * s;
              y[start + half + i] = second * c + first * s;
            }
          }
        }
      });
    },
  },
};
