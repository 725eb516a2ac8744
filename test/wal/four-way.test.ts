/**
 * Chapter 01 four ways: starter, reference, planted mistakes, another design.
 */
import { fileURLToPath } from "node:url";
import * as wal from "#wal";
import { registerFourWay } from "../support/register-steps.ts";
import { chapter } from "./steps/index.ts";
import { mistakes } from "./steps/mistakes.ts";

const failures = fileURLToPath(new URL("./steps/failures.txt", import.meta.url));

registerFourWay({ chapter, reference: wal, mistakes }, failures);
