/**
 * The workbook's own test of chapter 02. Method: the starter fails as it should, the reference and
 * the solution pass, and every planted mistake is caught by the check that is named for it.
 */
import { fileURLToPath } from "node:url";
import * as reference from "#memtable";
import { registerFourWay } from "../support/register-steps.ts";
import { chapter } from "./steps/index.ts";
import { mistakes } from "./steps/mistakes.ts";

const failures = fileURLToPath(new URL("./steps/failures.txt", import.meta.url));

registerFourWay({ chapter, reference, mistakes }, failures);
