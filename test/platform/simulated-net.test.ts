/**
 * The simulated network. Method: numbered frames over links that lose, repeat, reorder or are cut;
 * the counts and orders that arrive must fit the behaviour that was asked for.
 */

import { expect, test } from "vitest";
import {
  createSimulatedClock,
  createSimulatedNetwork,
  type LinkBehaviour,
  type Net,
  type SimulatedClock,
  type SimulatedNetwork,
} from "#platform";

interface Bench {
  readonly clock: SimulatedClock;
  readonly network: SimulatedNetwork;
  readonly nets: readonly Net[];
  /** What arrived: `to<from:number@time`, the time in whole milliseconds. */
  readonly arrived: string[];
}

/** A network of three nodes that note what they get. */
function bench(behaviour: Partial<LinkBehaviour> = {}, seed = 1): Bench {
  const clock = createSimulatedClock();
  const network = createSimulatedNetwork({ clock, seed, behaviour });
  const arrived: string[] = [];
  const nets = [0, 1, 2].map((self) => {
    const net = network.node(self);
    net.onFrame((from, frame) => {
      arrived.push(`${self}<${from}:${numberOf(frame)}@${Math.floor(clock.now())}`);
    });
    return net;
  });
  return { clock, network, nets, arrived };
}

const frameOf = (number: number): Uint8Array[] => [
  Uint8Array.of(number >> 8),
  new Uint8Array(0),
  Uint8Array.of(number & 0xff),
];
const numberOf = (frame: Uint8Array): number => (frame[0] ?? 0) * 256 + (frame[1] ?? 0);

/** The numbers of what arrived, in order. */
const numbers = (arrived: readonly string[]): number[] =>
  arrived.map((line) => Number(/:(\d+)@/.exec(line)?.[1]));

function sendMany({ nets, clock }: Bench, count: number): void {
  for (let number = 0; number < count; number += 1) {
    nets[0]?.send(1, frameOf(number));
    clock.advance(0.1);
  }
  clock.advance(1000);
}

test("a calm network delivers every frame whole, once, in order, after its delay", () => {
  const calm = bench({ delayMsMin: 5, delayMsMax: 5 });
  calm.nets[0]?.send(1, frameOf(258));
  calm.nets[2]?.send(1, frameOf(259));
  calm.nets[1]?.send(1, frameOf(260));
  calm.clock.advance(4.9);
  expect(calm.arrived).toEqual([]);
  calm.clock.advance(0.1);
  expect(calm.arrived).toEqual(["1<0:258@5", "1<2:259@5", "1<1:260@5"]);
  const busy = bench({ delayMsMin: 0, delayMsMax: 50 });
  sendMany(busy, 300);
  expect(numbers(busy.arrived)).toEqual(Array.from({ length: 300 }, (_, index) => index));
  expect(busy.network.delivered).toBe(300);
});

test("a frame belongs to its receiver, and changing what was sent changes nothing", () => {
  const { nets, clock, network } = bench({ duplicateChance: 1 });
  const frames: Uint8Array[] = [];
  network.node(1).onFrame((_, frame) => frames.push(frame));
  const part = Uint8Array.of(1, 2, 3);
  nets[0]?.send(1, [part]);
  part.fill(9);
  clock.advance(10);
  expect(frames).toEqual([Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 3)]);
  frames[0]?.fill(7);
  expect(frames[1]).toEqual(Uint8Array.of(1, 2, 3));
});

test("unordered links let frames overtake, ordered ones do not", () => {
  const unordered = bench({ delayMsMin: 0, delayMsMax: 50, ordered: false });
  sendMany(unordered, 100);
  const arrived = numbers(unordered.arrived);
  const sorted = arrived.toSorted((a, b) => a - b);
  expect(sorted).toEqual(Array.from({ length: 100 }, (_, index) => index));
  expect(arrived).not.toEqual(sorted);
});

test("frames are lost and repeated about as often as asked", () => {
  const lossy = bench({ lossChance: 0.3 });
  sendMany(lossy, 1000);
  expect(Math.abs(lossy.arrived.length - 700)).toBeLessThan(80);
  expect(lossy.network.delivered).toBe(lossy.arrived.length);
  const repeating = bench({ duplicateChance: 0.3 });
  sendMany(repeating, 1000);
  expect(Math.abs(repeating.arrived.length - 1300)).toBeLessThan(80);
  const deaf = bench({ lossChance: 1 });
  sendMany(deaf, 10);
  expect(deaf.arrived).toEqual([]);
});

test("a link is cut in one direction only, also for what is on the way, until healed", () => {
  const { nets, clock, network, arrived } = bench();
  nets[0]?.send(1, frameOf(1));
  network.setLink(0, 1, false);
  nets[0]?.send(1, frameOf(2));
  nets[1]?.send(0, frameOf(3));
  clock.advance(10);
  expect(numbers(arrived)).toEqual([3]);
  network.setLink(0, 1, true);
  nets[0]?.send(1, frameOf(4));
  clock.advance(10);
  network.setLink(0, 1, false);
  network.heal();
  nets[0]?.send(1, frameOf(5));
  clock.advance(10);
  expect(numbers(arrived)).toEqual([3, 4, 5]);
});

test("a partition separates groups, and leaves alone whom it does not name", () => {
  const { nets, clock, network, arrived } = bench({ delayMsMin: 1, delayMsMax: 1 });
  const sendAll = (): void => {
    for (const [from, net] of nets.entries()) {
      for (const to of nets.keys()) net.send(to, frameOf(from * 10 + to));
    }
    clock.advance(10);
  };
  network.partition([[0, 1]]);
  sendAll();
  expect(numbers(arrived)).toEqual([0, 1, 10, 11, 22]);
  arrived.length = 0;
  network.partition([
    [0, 1],
    [1, 2],
  ]);
  sendAll();
  expect(numbers(arrived)).toEqual([0, 1, 10, 11, 12, 21, 22]);
  arrived.length = 0;
  network.heal();
  sendAll();
  expect(arrived).toHaveLength(9);
});

test("a restarted node gets nothing meant for the old one, which is mute from then on", () => {
  const { nets, clock, network, arrived } = bench();
  nets[0]?.send(1, frameOf(1));
  const renewed = network.node(1);
  const got: number[] = [];
  clock.advance(10);
  renewed.onFrame((_, frame) => got.push(numberOf(frame)));
  nets[1]?.send(0, frameOf(2));
  nets[0]?.send(1, frameOf(3));
  renewed.send(0, frameOf(4));
  clock.advance(10);
  expect(got).toEqual([3]);
  expect(numbers(arrived)).toEqual([4]);
});

test("sending to nobody is no error", () => {
  const { nets, clock, network } = bench();
  nets[0]?.send(9, frameOf(1));
  network.node(9);
  nets[0]?.send(9, frameOf(2));
  clock.advance(10);
  expect(network.delivered).toBe(0);
});

test("one seed repeats a run; traffic on one link does not change another", () => {
  const rough = { lossChance: 0.2, duplicateChance: 0.2, delayMsMax: 30, ordered: false };
  const run = (seed: number, extra: number): string[] => {
    const rig = bench(rough, seed);
    for (let number = 0; number < extra; number += 1) rig.nets[2]?.send(1, frameOf(number));
    sendMany(rig, 200);
    return rig.arrived.filter((line) => line.startsWith("1<0"));
  };
  expect(run(1, 0)).toEqual(run(1, 0));
  expect(run(1, 50)).toEqual(run(1, 0));
  expect(run(2, 0)).not.toEqual(run(1, 0));
});

test("behaviour that makes no sense is refused", () => {
  const { network } = bench();
  expect(() => network.setBehaviour({ lossChance: 1.5 })).toThrow(RangeError);
  expect(() => network.setBehaviour({ duplicateChance: Number.NaN })).toThrow(RangeError);
  expect(() => network.setBehaviour({ delayMsMin: 10 })).toThrow(RangeError);
});
