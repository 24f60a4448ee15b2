import js from '@eslint/js'
import { defineConfig } from 'eslint/config'
import tseslint from 'typescript-eslint'

export default defineConfig(
  { ignores: ['dist/', 'man/', 'build/', 'coverage/', '.venvs/', '.stryker-tmp/', 'reports/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      eqeqeq: 'error',
    },
  },
  {
    // @a2a-js/sdk declares its option bags as classes that it does not export.
    files: ['test/**/*.ts', 'src/client/a2a.ts', 'src/client/sdk/grpc-transport.ts'],
    rules: { '@typescript-eslint/no-unsafe-class-instance-assignment': 'off' },
  },
  {
    // However it is loaded, its name is written somewhere. `process.execve` and workers of a cluster are programs too.
    files: ['src/**/*.ts', 'bin/**/*.cjs'],
    ignores: ['src/programs/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        ...[
          'Literal[value=/^(node:)?(child_process|cluster)$/]',
          'TemplateElement[value.cooked=/^(node:)?(child_process|cluster)$/]',
          'MemberExpression[property.name=execve]',
        ].map((selector) => ({
          selector,
          message:
            'Programs are started by src/programs alone, with an environment and settings of their own.',
        })),
      ],
    },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: {
      globals: {
        AbortController: 'readonly',
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        require: 'readonly',
        __dirname: 'readonly',
        __filename: 'readonly',
        Buffer: 'readonly',
        fetch: 'readonly',
      },
    },
  },
)
