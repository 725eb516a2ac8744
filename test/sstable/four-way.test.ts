/**
 * Chapter 03 tries itself four ways: the starter fails with the step's own message, the reference
 * and the solution pass, and every planted mistake is caught by the check that is named for it.
 */
import { fileURLToPath } from "node:url";
import * as sstable from "#sstable";
import { registerFourWay } from "../support/register-steps.ts";
import { chapter } from "./steps/index.ts";
import { mistakes } from "./steps/mistakes.ts";

registerFourWay(
  { chapter, reference: sstable, mistakes },
  fileURLToPath(new URL("steps/failures.txt", import.meta.url)),
);
