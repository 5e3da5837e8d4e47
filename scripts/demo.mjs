import { launch } from './launch.mjs';

await launch('scripts/demo.ts');
