import js from '@eslint/js';

const NODE_GLOBALS = ['AbortController', 'AbortSignal', 'clearTimeout', 'fetch', 'setTimeout', 'URL'];

export default [
  js.configs.recommended,
  {
    languageOptions: { globals: Object.fromEntries(NODE_GLOBALS.map((name) => [name, 'readonly'])) },
    rules: { eqeqeq: 'error', 'no-var': 'error', 'prefer-const': 'error' },
  },
];
