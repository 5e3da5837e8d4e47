import { launch } from './launch.mjs';

await launch('scripts/check.ts');
