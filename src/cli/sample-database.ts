/**
 * The database that a newcomer finds: a book shop, generated from a seed as batches of SQL text.
 *
 * Invariants: the same seed gives the same SQL, byte by byte; every batch is one transaction that
 * first writes its own number into `sample_batches`, so that a batch that is sent twice (because
 * the answer was lost) fails as a whole the second time; no foreign key is ever violated on the
 * way.
 */
import { type Random, seededRandom } from "#platform";
import {
  ADJECTIVES,
  CITIES,
  COUNTRIES,
  FIRST_NAMES,
  GENRES,
  LAST_NAMES,
  NOUNS,
} from "./sample-words.ts";

/** The seed of the database that `cairn cluster` creates. */
export const SAMPLE_SEED = 20_240_229;

/** Statements that belong together: all of them take effect, or none. */
export interface SampleBatch {
  /** 1 for the first batch, then +1 each. */
  readonly number: number;
  readonly statements: readonly string[];
}

const AUTHORS = 60;
const BOOKS = 400;
const CUSTOMERS = 300;
const ORDERS = 1200;
const LINES_PER_ORDER_MAX = 4;

/** Orders of one batch, with their lines: bodies stay at some tens of kilobytes. */
const ORDERS_PER_BATCH = 200;
/** Rows of one INSERT: long lines are hard to read in a log. */
const ROWS_PER_STATEMENT = 100;

const FIRST_ORDER_AT = Date.UTC(2024, 0, 2, 8, 0, 0);
const MINUTE_MS = 60_000;
const MINUTES_BETWEEN_ORDERS_MAX = 600;

const SCHEMA: readonly string[] = [
  `CREATE TABLE sample_batches (
  number INTEGER PRIMARY KEY,
  loaded_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
)`,
  `CREATE TABLE authors (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  country TEXT NOT NULL
)`,
  `CREATE TABLE books (
  id INTEGER PRIMARY KEY,
  author_id INTEGER NOT NULL REFERENCES authors (id),
  title TEXT NOT NULL,
  genre TEXT NOT NULL,
  published INTEGER NOT NULL,
  price_cents INTEGER NOT NULL CHECK (price_cents > 0),
  stock INTEGER NOT NULL CHECK (stock >= 0)
)`,
  `CREATE TABLE customers (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  city TEXT NOT NULL,
  email TEXT NOT NULL UNIQUE
)`,
  `CREATE TABLE orders (
  id INTEGER PRIMARY KEY,
  customer_id INTEGER NOT NULL REFERENCES customers (id),
  placed_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP,
  total_cents INTEGER NOT NULL DEFAULT 0
)`,
  `CREATE TABLE order_lines (
  order_id INTEGER NOT NULL REFERENCES orders (id),
  position INTEGER NOT NULL,
  book_id INTEGER NOT NULL REFERENCES books (id),
  quantity INTEGER NOT NULL CHECK (quantity > 0),
  price_cents INTEGER NOT NULL,
  PRIMARY KEY (order_id, position)
) WITHOUT ROWID`,
  "CREATE INDEX books_by_author ON books (author_id)",
  "CREATE INDEX orders_by_customer ON orders (customer_id, placed_at)",
  "CREATE INDEX order_lines_by_book ON order_lines (book_id)",
  `CREATE VIEW best_sellers AS
SELECT books.title AS title, authors.name AS author, sum(order_lines.quantity) AS copies,
  sum(order_lines.quantity * order_lines.price_cents) / 100.0 AS revenue
FROM order_lines
JOIN books ON books.id = order_lines.book_id
JOIN authors ON authors.id = books.author_id
GROUP BY books.id
ORDER BY copies DESC, title`,
  `CREATE TRIGGER order_lines_are_counted AFTER INSERT ON order_lines
BEGIN
  UPDATE books SET stock = stock - NEW.quantity WHERE id = NEW.book_id;
  UPDATE orders SET total_cents = total_cents + NEW.quantity * NEW.price_cents
  WHERE id = NEW.order_id;
END`,
];

type Value = string | number;

/** All batches, in the order in which they must be sent. */
export function sampleBatches(seed: number = SAMPLE_SEED): readonly SampleBatch[] {
  const random = seededRandom(seed);
  const books = drawBooks(random);
  const groups: (readonly string[])[] = [
    inserts("authors (id, name, country)", drawAuthors(random)),
    inserts("books (id, author_id, title, genre, published, price_cents, stock)", books),
    inserts("customers (id, name, city, email)", drawCustomers(random)),
  ];
  const prices = books.map((row) => Number(row[PRICE_COLUMN]));
  const placedAt = drawMoments(random);
  for (let first = 1; first <= ORDERS; first += ORDERS_PER_BATCH) {
    groups.push(drawOrders(random, { first, placedAt, prices }));
  }
  return [
    { number: 1, statements: [...SCHEMA, mark(1)] },
    ...groups.map((statements, index) => ({
      number: index + 2,
      statements: [mark(index + 2), ...statements],
    })),
  ];
}

function mark(number: number): string {
  return `INSERT INTO sample_batches (number) VALUES (${number})`;
}

function literal(value: Value): string {
  return typeof value === "number" ? String(value) : `'${value.replaceAll("'", "''")}'`;
}

function inserts(target: string, rows: readonly (readonly Value[])[]): string[] {
  const statements: string[] = [];
  for (let from = 0; from < rows.length; from += ROWS_PER_STATEMENT) {
    const values = rows
      .slice(from, from + ROWS_PER_STATEMENT)
      .map((row) => `(${row.map(literal).join(", ")})`);
    statements.push(`INSERT INTO ${target} VALUES\n${values.join(",\n")}`);
  }
  return statements;
}

function pick(random: Random, words: readonly string[]): string {
  return words[random.below(words.length)] ?? "";
}

function numbers(count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

function drawName(random: Random): string {
  return `${pick(random, FIRST_NAMES)} ${pick(random, LAST_NAMES)}`;
}

function drawAuthors(random: Random): Value[][] {
  return numbers(AUTHORS).map((id) => [id, drawName(random), pick(random, COUNTRIES)]);
}

function drawTitle(random: Random): string {
  const noun = pick(random, NOUNS);
  switch (random.below(4)) {
    case 0:
      return `The ${pick(random, ADJECTIVES)} ${noun}`;
    case 1:
      return `${noun} of the ${pick(random, ADJECTIVES)} ${pick(random, NOUNS)}`;
    case 2:
      return `A ${noun} for ${pick(random, FIRST_NAMES)}`;
    default:
      return `${pick(random, ADJECTIVES)} ${noun}s`;
  }
}

const PRICE_COLUMN = 5;
const PUBLISHED_FROM = 1950;
const PUBLISHED_YEARS = 74;
const PRICE_STEPS = 40;
const PRICE_STEP_CENTS = 50;
const PRICE_LOWEST_CENTS = 695;
/** More than the most popular book sells, so that the stock never goes below zero. */
const STOCK_LOWEST = 500;
const STOCK_SPREAD = 200;

function drawBooks(random: Random): Value[][] {
  return numbers(BOOKS).map((id) => [
    id,
    1 + random.below(AUTHORS),
    drawTitle(random),
    pick(random, GENRES),
    PUBLISHED_FROM + random.below(PUBLISHED_YEARS),
    PRICE_LOWEST_CENTS + PRICE_STEP_CENTS * random.below(PRICE_STEPS),
    STOCK_LOWEST + random.below(STOCK_SPREAD),
  ]);
}

function drawCustomers(random: Random): Value[][] {
  return numbers(CUSTOMERS).map((id) => [
    id,
    drawName(random),
    pick(random, CITIES),
    `reader${id}@example.org`,
  ]);
}

function drawMoments(random: Random): string[] {
  let at = FIRST_ORDER_AT;
  return numbers(ORDERS).map(() => {
    at += MINUTE_MS * (1 + random.below(MINUTES_BETWEEN_ORDERS_MAX));
    return new Date(at).toISOString().slice(0, "2024-01-02T08:00:00".length).replace("T", " ");
  });
}

/** Squaring makes books with small numbers popular: a shop where all sell alike teaches nothing. */
function drawBook(random: Random): number {
  return 1 + Math.floor(random.fraction() ** 2 * BOOKS);
}

function drawOrders(
  random: Random,
  shop: {
    readonly first: number;
    readonly placedAt: readonly string[];
    readonly prices: readonly number[];
  },
): string[] {
  const orders: Value[][] = [];
  const lines: Value[][] = [];
  const before = Math.min(shop.first + ORDERS_PER_BATCH, ORDERS + 1);
  for (let id = shop.first; id < before; id += 1) {
    orders.push([id, 1 + random.below(CUSTOMERS), shop.placedAt[id - 1] ?? ""]);
    const chosen = new Set<number>();
    for (let line = 1 + random.below(LINES_PER_ORDER_MAX); line > 0; line -= 1) {
      chosen.add(drawBook(random));
    }
    for (const [index, book] of [...chosen].entries()) {
      const quantity = 1 + (random.below(2) && random.below(2));
      lines.push([id, index + 1, book, quantity, shop.prices[book - 1] ?? 0]);
    }
  }
  return [
    ...inserts("orders (id, customer_id, placed_at)", orders),
    ...inserts("order_lines (order_id, position, book_id, quantity, price_cents)", lines),
  ];
}
