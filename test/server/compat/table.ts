/** All tables of `cases/` together: every row of the reference that has a test. */
import type { CompatCase } from "./case.ts";
import { ADMINISTRATION } from "./cases/administration.ts";
import { BINDING } from "./cases/binding.ts";
import { BODIES } from "./cases/bodies.ts";
import { ENVELOPE } from "./cases/envelope.ts";
import { ERRORS } from "./cases/errors.ts";
import { FOLLOWER } from "./cases/follower.ts";
import { PARAMETERS } from "./cases/parameters.ts";
import { PATHS } from "./cases/paths.ts";
import { PRAGMAS } from "./cases/pragmas.ts";
import { QUEUE } from "./cases/queue.ts";
import { TRANSACTIONS } from "./cases/transactions.ts";
import { TYPES } from "./cases/types.ts";
import { VALUES } from "./cases/values.ts";

/** Every row. */
export const CASES: readonly CompatCase[] = [
  ...PATHS,
  ...PARAMETERS,
  ...BODIES,
  ...ENVELOPE,
  ...ERRORS,
  ...TYPES,
  ...VALUES,
  ...BINDING,
  ...TRANSACTIONS,
  ...PRAGMAS,
  ...QUEUE,
  ...ADMINISTRATION,
  ...FOLLOWER,
];
