// run-in: deno
import { defineMatrixTests } from "./_matrix_tests.ts";

defineMatrixTests("4.5.7");
