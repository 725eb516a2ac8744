/**
 * Versions as text, and what any good plan for them must do, for step 04.8. The language is that of
 * `test/lsm/compaction-script.ts`, but for the last line: a level that gives tables, and tables
 * that must be among the inputs. Which ones else is the picker's choice.
 */

/** With `levelBytesBase` 100, level 1 is due above 100 bytes, level 2 above 1000 at ratio 10. */
export const LEVELED_SCRIPT = `
# An empty engine has nothing to do.
with levelRatio 10, levelZeroCompactRuns 4, levelBytesBase 100
=> nothing

# Level 0 has one run fewer than starts a compaction.
with levelRatio 10, levelZeroCompactRuns 4, levelBytesBase 100
0/9: 9 a-z 10
0/8: 8 a-z 10
0/7: 7 a-z 10
=> nothing

# Level 0 has four runs that overlap.
with levelRatio 10, levelZeroCompactRuns 4, levelBytesBase 100
0/9: 9 a-m 10
0/8: 8 c-z 10
0/7: 7 b-e 10
0/6: 6 d-d 10
=> from level 0, with 6 7 8 9

# Level 0 is due, and overlaps three of the five tables of level 1.
with levelRatio 10, levelZeroCompactRuns 3, levelBytesBase 200
0/9: 9 d-h 10
0/8: 8 f-k 10
0/7: 7 g-g 10
1/3: 1 a-c 20, 2 c2-e 20, 3 f-j 20, 4 k-k 20, 5 l-z 20
=> from level 0, with 7 8 9 2 3 4

# Runs of level 0 that overlap only through a third one.
with levelRatio 10, levelZeroCompactRuns 3, levelBytesBase 100
0/9: 9 a-c 10
0/8: 8 c-e 10
0/7: 7 e-g 10
=> from level 0, with 7 8 9

# The oldest run of level 0 overlaps nothing that is newer.
with levelRatio 10, levelZeroCompactRuns 3, levelBytesBase 100
0/9: 9 t-z 10
0/8: 8 m-s 10
0/7: 7 g-k 10
1/3: 1 a-c 20, 2 h-j 20
=> from level 0, with 7 2

# A level that just fills its limit.
with levelRatio 10, levelZeroCompactRuns 4, levelBytesBase 100
1/3: 1 a-f 50, 2 g-z 50
2/2: 3 a-z 1000
=> nothing

# Level 1 is too large.
with levelRatio 10, levelZeroCompactRuns 4, levelBytesBase 100
1/3: 4 a-f 40, 5 g-m 40, 6 n-z 40
2/2: 1 a-c 50, 2 d-h 50, 3 o-q 30, 7 x-z 10
=> from level 1

# Level 1 is too large, and its only table overlaps two of level 2.
with levelRatio 10, levelZeroCompactRuns 4, levelBytesBase 100
1/3: 4 e-p 140
2/2: 1 a-c 50, 2 d-h 50, 3 o-q 30, 7 x-z 10
=> from level 1, with 4 2 3

# Level 2 is too large at ratio 2.
with levelRatio 2, levelZeroCompactRuns 4, levelBytesBase 100
1/3: 1 a-z 90
2/2: 2 a-z 250
3/1: 4 a-z 100
=> from level 2, with 2 4

# The deepest level may grow without end.
with levelRatio 2, levelZeroCompactRuns 4, levelBytesBase 1
6/1: 1 a-f 1000, 2 g-z 1000
=> nothing

# Level 5 goes down into level 6, the deepest.
with levelRatio 2, levelZeroCompactRuns 4, levelBytesBase 1
5/2: 3 a-z 27
6/1: 1 a-f 1000, 2 g-z 1000
=> from level 5, with 3 1 2
`;

/** All runs of a due level go, whole. */
export const TIERED_SCRIPT = `
# An empty engine has nothing to do.
with levelRatio 4, levelZeroCompactRuns 4
=> nothing

# Every level has one run fewer than starts a compaction.
with levelRatio 3, levelZeroCompactRuns 2
0/9: 9 a-z 10
1/8: 8 a-z 30
1/7: 7 a-z 30
2/6: 6 a-z 90
2/5: 5 a-z 90
=> nothing

# Level 0 is full.
with levelRatio 4, levelZeroCompactRuns 4
0/9: 9 a-m 10
0/8: 8 c-z 10
0/7: 7 b-e 10
0/6: 6 d-d 10
=> from level 0, with 6 7 8 9

# Level 0 is full, and level 1 has older runs, which stay.
with levelRatio 4, levelZeroCompactRuns 2
0/9: 9 a-m 10
0/8: 8 c-z 10
1/5: 5 a-k 20, 6 l-z 20
1/3: 3 a-z 20
=> from level 0, with 8 9

# Runs of level 0 that do not overlap go together all the same.
with levelRatio 4, levelZeroCompactRuns 3
0/9: 9 a-c 10
0/8: 8 d-f 10
0/7: 7 g-i 10
=> from level 0, with 7 8 9

# Level 0 has its own limit.
with levelRatio 2, levelZeroCompactRuns 4
0/9: 9 a-c 10
0/8: 8 d-f 10
0/7: 7 g-i 10
=> nothing

# Level 1 is full, and its runs go down with all their tables.
with levelRatio 2, levelZeroCompactRuns 4
0/9: 9 a-z 10
1/8: 5 a-k 20, 6 l-z 20
1/7: 3 a-m 20, 4 n-z 20
2/6: 2 a-z 100
=> from level 1, with 5 6 3 4

# More runs than the limit go all at once.
with levelRatio 2, levelZeroCompactRuns 2
0/9: 9 a-z 10
0/8: 8 a-z 10
0/7: 7 a-z 10
=> from level 0, with 7 8 9

# The deepest level is merged into itself.
with levelRatio 2, levelZeroCompactRuns 2
6/9: 9 a-z 10
6/8: 8 a-z 10
=> from level 6, with 8 9

# One run in the deepest level is the end.
with levelRatio 2, levelZeroCompactRuns 2
6/9: 9 a-z 10, 10 zz-zz 10
=> nothing
`;
