/**
 * Money moves between accounts and never appears: whoever reads all accounts at one moment finds
 * the same total. A read of half a transfer does not. Chapter: 11-simulation.
 */
import type { BankRead, BankRules, Violation } from "./types.ts";

/** What is wrong with each read; empty if nothing is. */
export function checkBank(reads: readonly BankRead[], rules: BankRules): Violation[] {
  const accounts = new Set(rules.accounts);
  return reads.flatMap((read) => violationsOf(read, rules, accounts));
}

function violationsOf(
  { process, balances, note }: BankRead,
  { total, balanceMin = -Infinity }: BankRules,
  accounts: ReadonlySet<string>,
): Violation[] {
  const found: Violation[] = [];
  const where = note === undefined ? "" : ` (${note})`;
  const say = (rule: string, what: string): void => {
    found.push({ rule, text: `client ${process}${where} ${what}` });
  };
  for (const account of accounts) {
    if (!balances.has(account)) say("missing account", `does not see account ${account}`);
  }
  let sum = 0;
  for (const [account, balance] of balances) {
    sum += balance;
    if (!accounts.has(account)) say("foreign account", `sees account ${account}, which is not one`);
    if (!Number.isFinite(balance)) say("bank balance", `reads ${balance} on account ${account}`);
    if (balance < balanceMin) {
      say("bank balance", `reads ${balance} on account ${account}, below ${balanceMin}`);
    }
  }
  if (sum !== total) {
    const all = [...balances].map(([account, balance]) => `${account} ${balance}`).join(", ");
    say("bank total", `reads a total of ${sum}, not ${total}: ${all}`);
  }
  return found;
}
