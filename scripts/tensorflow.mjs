import { launch } from './launch.mjs';

await launch('scripts/tensorflow.ts');
