/**
 * Step 00.6 on a disk that fails: full, or with a sync that reports an error. Method: plan the
 * fault, call, and cut the power whatever the call did.
 */
import { errorText, NotWrittenError } from "#base";
import { type Check, expectThat, fail } from "#learn";
import { mixSeeds } from "#platform";
import type { DiskOperation, SimulatedDisk } from "#platform/types";
import { aside, contentAt, contentInWords } from "./disk-story.ts";
import {
  diskWith,
  type Found,
  foundOn,
  leftovers,
  NEW,
  OLD,
  PATH,
  settingsStory,
  THIRD,
} from "./settings.ts";
import type { BytesSubject } from "./subject.ts";

const CRASHES = 40;
/** Room for the old content and for half of the new. */
const CAPACITY_BYTES = OLD.length + 700;

/** Calls, and gives back what it threw, or null. */
function thrownBy(f: () => void): unknown {
  try {
    f();
    return null;
  } catch (error) {
    if (error instanceof NotWrittenError) throw error;
    return error;
  }
}

/** The first crash after which the path holds none of `allowed`; null if there is none. */
function firstLoss(
  disk: SimulatedDisk,
  allowed: readonly Found[],
  seed: number,
): SimulatedDisk | null {
  for (let crash = 0; crash < CRASHES; crash += 1) {
    const after = disk.crash(mixSeeds(seed, crash));
    if (!allowed.includes(foundOn(after))) return after;
  }
  return null;
}

const fullDisk: Check<BytesSubject> = {
  name: "a full disk leaves the old content, and the next call that fits succeeds",
  kind: "fault",
  rule: "D5",
  run(subject, { seed }) {
    const full = () => diskWith("old", { capacityBytes: CAPACITY_BYTES });
    const disk = full();
    const error = thrownBy(() => subject.replaceFile(disk, PATH, NEW));
    const found = foundOn(disk);
    expectThat(error !== null && found === "old", () => ({
      happened:
        `The disk has room for ${CAPACITY_BYTES} bytes, and ${PATH} takes ${OLD.length} of ` +
        `them. replaceFile was to put ${NEW.length} bytes there, and the write threw DISK_FULL ` +
        `halfway. replaceFile ${error === null ? "returned as if all were well" : "threw"}, ` +
        `and the file ${contentInWords(contentAt(disk, PATH))}.`,
      why: "A full disk is an ordinary day. It must cost the call, and not what was there before.",
      timeline: settingsStory(disk),
    }));
    const lost = firstLoss(disk, ["old"], seed);
    expectThat(lost === null, () => ({
      happened:
        `The disk was full and replaceFile threw: ${errorText(error)}. Then the power was cut, ` +
        "and after the restart the file " +
        `${contentInWords(lost === null ? null : contentAt(lost, PATH))}.`,
      why: "The call had failed, so the caller counted on the old content.",
      timeline: settingsStory(disk),
    }));
    const again = full();
    thrownBy(() => subject.replaceFile(again, PATH, NEW));
    const second = thrownBy(() => subject.replaceFile(again, PATH, THIRD));
    const others = leftovers(again);
    const isClean = second === null && foundOn(again) === "third" && others.length === 0;
    expectThat(isClean, () => ({
      happened:
        `The disk was full, replaceFile threw. The next call, of ${THIRD.length} bytes, ` +
        (second === null ? "returned" : `threw: ${errorText(second)}`) +
        `. The file ${contentInWords(contentAt(again, PATH))}, and beside it there is ` +
        `${others.length === 0 ? "nothing" : others.join(", ")}.`,
      why: "What a failed call leaves behind takes the room that the next one needs.",
      timeline: settingsStory(again),
    }));
  },
};

interface FailingCall {
  readonly operation: DiskOperation;
  readonly name: string;
  readonly rule: string;
  /** What may be at the path after the call has failed and the power was cut. */
  readonly allowed: readonly Found[];
  readonly why: string;
}

function failing({ operation, name, rule, allowed, why }: FailingCall): Check<BytesSubject> {
  return {
    name,
    kind: "fault",
    rule,
    run(subject, { seed }) {
      const disk = diskWith("old");
      disk.plan({ operation, fault: "EIO", after: 0 });
      const error = thrownBy(() => subject.replaceFile(disk, PATH, NEW));
      // To try again from the beginning is an answer too, if the new content is then durable.
      const lost = firstLoss(disk, error === null ? ["new"] : allowed, seed);
      if (lost === null) return;
      const content = contentInWords(contentAt(lost, PATH));
      fail({
        happened:
          `The first ${operation} in replaceFile failed with EIO. replaceFile ` +
          (error === null ? "returned as if all were well" : `threw: ${errorText(error)}`) +
          `. Then the power was cut. After the restart ${PATH} ${content}: ` +
          (error === null ? "not the new content." : "not the old content."),
        why,
        timeline: [
          ...settingsStory(disk),
          aside(error === null ? "replaceFile returns" : "replaceFile throws"),
          aside("the power is cut"),
          aside(`restart: ${PATH} ${content}`),
        ],
      });
    },
  };
}

/** The checks of step 00.6 with a disk that fails. */
export const replaceFaultChecks: readonly Check<BytesSubject>[] = [
  fullDisk,
  failing({
    operation: "sync",
    name: "a sync that failed is never taken for one that worked, nor tried again",
    rule: "D4",
    allowed: ["old"],
    why:
      "After a failed sync the kernel has marked the pages clean. The next sync has nothing to " +
      "do, says yes, and the bytes are on no disk.",
  }),
  failing({
    operation: "syncDir",
    name: "a directory sync that failed is an error for the caller",
    rule: "D1",
    allowed: ["old", "new"],
    why: "The caller was told that the new content is durable. Only its bytes are, not its name.",
  }),
];
