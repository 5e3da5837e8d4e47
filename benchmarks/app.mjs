import { launch } from '../scripts/launch.mjs';

await launch('benchmarks/app.ts');
