/**
 * Chapter 00 of the workbook, tried four ways: its starter fails, the reference and the solution
 * pass, and every planted mistake is caught by the check that is named for it.
 */
import { fileURLToPath } from "node:url";
import * as reference from "#bytes";
import { registerFourWay } from "../support/register-steps.ts";
import { chapter } from "./steps/index.ts";
import { mistakes } from "./steps/mistakes.ts";

const failures = fileURLToPath(new URL("steps/failures.txt", import.meta.url));

registerFourWay({ chapter, reference, mistakes }, failures);
