/**
 * Lint rules: typescript-eslint's strictest type-aware set. Every departure from it says why.
 */

import eslint from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import svelte from 'eslint-plugin-svelte';
import tseslint from 'typescript-eslint';

export default defineConfig(globalIgnores(['dist/']), {
  files: ['**/*.{ts,js,mjs,svelte}'],
  extends: [
    eslint.configs.recommended,
    tseslint.configs.strictTypeChecked,
    svelte.configs.recommended,
  ],
  linterOptions: { reportUnusedDisableDirectives: 'error' },
  languageOptions: {
    parserOptions: {
      projectService: true,
      tsconfigRootDir: import.meta.dirname,
      parser: tseslint.parser,
      extraFileExtensions: ['.svelte'],
    },
  },
  rules: {
    // Links are fragments, made by `linkTo`; this rule is about SvelteKit's router.
    'svelte/no-navigation-without-resolve': 'off',
    // The compiler reports names that do not exist, with knowledge of the types in scope.
    'no-undef': 'off',
    // Numbers print as anyone expects; the rule keeps catching objects, undefined and promises.
    '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
    // `list.forEach((x) => seen.add(x))` and `on('exit', () => close())` hide nothing.
    '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    // Kernels index arrays in their inner loops, so the compiler leaves `undefined` out of the type of
    // indexed reads (noUncheckedIndexedAccess); this rule would forbid checking the reads that need it.
    '@typescript-eslint/no-unnecessary-condition': 'off',
    // `_unused` marks a parameter that a shared signature demands.
    '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_' }],
    // The runner awaits the promises that test() and describe() return.
    '@typescript-eslint/no-floating-promises': [
      'error',
      {
        allowForKnownSafeCalls: [
          { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] },
        ],
      },
    ],
    '@typescript-eslint/switch-exhaustiveness-check': [
      'error',
      { considerDefaultExhaustiveForUnions: true },
    ],
    '@typescript-eslint/consistent-type-imports': 'error',
    // `[...text]` means the code points of a text here, which is what it gives.
    '@typescript-eslint/no-misused-spread': ['error', { allow: ['string'] }],
    // Texts from files and for terminals do hold control characters.
    'no-control-regex': 'off',
    // `x == null` is the one use of == that says something: null or undefined.
    eqeqeq: ['error', 'always', { null: 'ignore' }],
  },
});
