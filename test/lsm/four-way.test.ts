/**
 * The workbook's own test of chapter 04. Method: each step is tried four ways (starter, reference,
 * planted mistakes, solution), and the texts of all failures are compared with a file.
 */
import { fileURLToPath } from "node:url";
import * as reference from "#lsm";
import { registerFourWay } from "../support/register-steps.ts";
import { chapter } from "./steps/index.ts";
import { mistakes } from "./steps/mistakes.ts";

const failures = fileURLToPath(new URL("steps/failures.txt", import.meta.url));

registerFourWay({ chapter, reference, mistakes }, failures);
