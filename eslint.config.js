import { defineConfig, globalIgnores } from "eslint/config";
import tseslint from "typescript-eslint";

const typed = [
  "src/**/*.ts",
  "test/**/*.ts",
  "bench/**/*.ts",
  "studies/**/*.ts",
  "scripts/**/*.ts",
  "examples/**/*.ts",
  "vitest.config.ts",
];
const kernels = ["assembly/**/*.ts"];

export default defineConfig(
  globalIgnores([
    "build/",
    "dist/",
    "src/*/binary.ts",
    "src/engine/relaxed-binary.ts",
    "src/report/page-bundle.ts",
    "assembly/rules/index.ts",
    "src/bases/kernels.ts",
    "src/bases/records.ts",
    "src/engine/records.ts",
  ]),
  { linterOptions: { reportUnusedDisableDirectives: "error" }, rules: { eqeqeq: "error" } },
  {
    files: typed,
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
  },
  {
    // AssemblyScript is TypeScript's syntax with other types: parsed, not type-checked. Decorators on functions are
    // an addition of its own, and its == converts nothing.
    files: kernels,
    languageOptions: { parser: tseslint.parser, parserOptions: { allowInvalidAST: true } },
    rules: { eqeqeq: "off" },
  },
  {
    files: ["src/**/*.ts", ...kernels],
    rules: {
      "max-lines-per-function": ["error", { max: 45, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ["src/**/*.ts"],
    rules: {
      "no-restricted-syntax": [
        "error",
        {
          selector: "ExportDefaultDeclaration, ExportSpecifier[exported.name='default']",
          message: "Named exports only.",
        },
        {
          selector: "CallExpression[callee.object.name='Math'] > SpreadElement",
          message: "The stack holds some 120 000 values: see src/common/extremes.ts.",
        },
      ],
    },
  },
);
