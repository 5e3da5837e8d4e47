import { launch } from '../scripts/launch.mjs';

await launch('benchmarks/listops/study.ts');
