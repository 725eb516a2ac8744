/**
 * Each module is what its contract says. Method: the compiler checks the assignments below; at run
 * time the members of each `<Name>Module` are read from `types.ts` and looked for in the module.
 */

import ts from "typescript";
import { expect, test } from "vitest";
import * as bytes from "#bytes";
import type { BytesModule } from "#bytes/types";
import * as lsm from "#lsm";
import type { LsmModule } from "#lsm/types";
import * as memtable from "#memtable";
import type { MemtableModule } from "#memtable/types";
import * as mvcc from "#mvcc";
import type { MvccModule } from "#mvcc/types";
import * as raft from "#raft";
import type { RaftModule } from "#raft/types";
import * as simulation from "#simulation";
import type { SimulationModule } from "#simulation/types";
import * as sqlite from "#sqlite";
import type { SqliteModule } from "#sqlite/types";
import * as sstable from "#sstable";
import type { SstableModule } from "#sstable/types";
import * as wal from "#wal";
import type { WalModule } from "#wal/types";
import { filesUnder, placeOf, treeOf } from "./sources.ts";

const bytesModule: BytesModule = bytes;
const walModule: WalModule = wal;
const memtableModule: MemtableModule = memtable;
const sstableModule: SstableModule = sstable;
const lsmModule: LsmModule = lsm;
const mvccModule: MvccModule = mvcc;
const raftModule: RaftModule = raft;
const sqliteModule: SqliteModule = sqlite;
const simulationModule: SimulationModule = simulation;

const MODULES: readonly [string, string, object][] = [
  ["bytes", "BytesModule", bytesModule],
  ["wal", "WalModule", walModule],
  ["memtable", "MemtableModule", memtableModule],
  ["sstable", "SstableModule", sstableModule],
  ["lsm", "LsmModule", lsmModule],
  ["mvcc", "MvccModule", mvccModule],
  ["raft", "RaftModule", raftModule],
  ["sqlite", "SqliteModule", sqliteModule],
  ["simulation", "SimulationModule", simulationModule],
];

function membersOf(path: string, name: string): string[] {
  const found = treeOf(path).statements.find(
    (node) => ts.isInterfaceDeclaration(node) && node.name.text === name,
  );
  if (found === undefined || !ts.isInterfaceDeclaration(found)) return [];
  return found.members.map((member) => member.name?.getText() ?? "");
}

test.each(MODULES)("%s exports every function of %s", (folder, name, module) => {
  const members = membersOf(`src/${folder}/types.ts`, name);
  expect(members.length).toBeGreaterThan(0);
  const kinds = members.map((member) => [member, typeof Reflect.get(module, member)]);
  expect(kinds).toEqual(members.map((member) => [member, "function"]));
});

test("a contract holds no code", () => {
  const code: string[] = [];
  for (const path of filesUnder("src", "types.ts")) {
    if (!path.endsWith("/types.ts")) continue;
    for (const node of treeOf(path).statements) {
      const types =
        ts.isInterfaceDeclaration(node) ||
        ts.isTypeAliasDeclaration(node) ||
        (ts.isImportDeclaration(node) &&
          node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword) ||
        (ts.isExportDeclaration(node) && node.isTypeOnly);
      if (!types) code.push(placeOf(path, node));
    }
  }
  expect(code).toEqual([]);
});

test("classes stay behind factories: no door exports one", () => {
  const classes: string[] = [];
  for (const [folder, , module] of MODULES) {
    for (const [name, value] of Object.entries(module)) {
      const isClass = typeof value === "function" && /^class\b/.test(String(value));
      if (isClass) classes.push(`${folder}: ${name}`);
    }
  }
  expect(classes).toEqual([]);
});
