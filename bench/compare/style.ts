/**
 * The style of the report's page, for light and dark. The five colours can be told apart with the
 * common kinds of colour blindness.
 */
export const STYLE: string = `
:root { color-scheme: light dark; --text: #1b1b1b; --quiet: #5c5c5c; --page: #ffffff;
  --line: #d9d9d9; --cairn: #0072b2; --level: #e69f00; --lmdb: #009e73; --nosync: #cc79a7;
  --sqlite: #d55e00; }
@media (prefers-color-scheme: dark) {
  :root { --text: #ececec; --quiet: #a9a9a9; --page: #17191c; --line: #3a3d42; --cairn: #56b4e9;
    --level: #e6b04c; --lmdb: #35c49a; --nosync: #dd9cc0; --sqlite: #f0845a; } }
body { margin: 0; background: var(--page); color: var(--text);
  font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.2rem; }
svg { width: 100%; height: auto; }
svg text { fill: var(--quiet); font: 11px system-ui, sans-serif; }
svg text.row { fill: var(--text); font-size: 12px; }
svg .grid { stroke: var(--line); } svg .one { stroke: var(--text); }
svg .range { stroke: var(--text); } svg .dot { fill: var(--text); opacity: 0.6; }
.cairn { fill: var(--cairn); background: var(--cairn); }
.classic-level { fill: var(--level); background: var(--level); }
.lmdb { fill: var(--lmdb); background: var(--lmdb); }
.lmdb-nosync { fill: var(--nosync); background: var(--nosync); }
.better-sqlite3 { fill: var(--sqlite); background: var(--sqlite); }
.legend { display: flex; flex-wrap: wrap; gap: 1.2rem; list-style: none; padding: 0; }
.swatch { display: inline-block; width: 0.9em; height: 0.9em; margin-right: 0.4em; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 0.85rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; color: var(--quiet); padding: 0.3rem 0; }
th, td { text-align: left; vertical-align: top; padding: 0.25rem 0.6rem 0.25rem 0;
  border-bottom: 1px solid var(--line); }
summary { cursor: pointer; font-weight: 600; margin-top: 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 0.2rem 1.2rem; }
dt { color: var(--quiet); } dd { margin: 0; }
`;
