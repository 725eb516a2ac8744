/**
 * Words that the sample book shop is made of. All invented combinations; no book or person is
 * meant.
 *
 * Invariant: lists only grow at their end, since the generator draws positions in them.
 */

export const FIRST_NAMES: readonly string[] = [
  ...["Ada", "Bruno", "Chiara", "Dmitri", "Elif", "Farid", "Greta", "Hugo", "Ines", "Jonas"],
  ...["Kaori", "Liam", "Mira", "Noor", "Oskar", "Priya", "Quentin", "Rosa", "Søren", "Tove"],
  ...["Uma", "Viktor", "Wanda", "Xenia", "Yusuf", "Zoë"],
];

export const LAST_NAMES: readonly string[] = [
  ...["Ashdown", "Bellini", "Castro", "Dvořák", "Eriksen", "Fontaine", "Gruber", "Hallam"],
  ...["Ishida", "Jansen", "Kowalski", "Lindqvist", "Moreau", "Novak", "O'Rourke", "Petrov"],
  ...["Quist", "Rahman", "Silva", "Tanaka", "Urban", "Varga", "Weiss", "Yilmaz", "Zeller"],
];

export const COUNTRIES: readonly string[] = [
  ...["Brazil", "Czechia", "Denmark", "France", "Ireland", "Italy", "Japan", "Poland"],
  ...["Sweden", "Switzerland", "Türkiye"],
];

export const CITIES: readonly string[] = [
  ...["Aarhus", "Basel", "Cork", "Dijon", "Gdańsk", "Izmir", "Kyoto", "Lisbon", "Malmö"],
  ...["Olomouc", "Porto", "Recife", "Turin", "Zürich"],
];

export const ADJECTIVES: readonly string[] = [
  ...["Quiet", "Broken", "Distant", "Hidden", "Patient", "Wandering", "Northern", "Last"],
  ...["Unwritten", "Silver", "Stubborn", "Forgotten", "Second", "Careful", "Bright", "Steep"],
];

export const NOUNS: readonly string[] = [
  ...["Cairn", "Ledger", "River", "Lantern", "Harbour", "Orchard", "Signal", "Quorum"],
  ...["Mountain", "Letter", "Clock", "Island", "Archive", "Bridge", "Compass", "Winter"],
  ...["Stone", "Path", "Voyage", "Garden"],
];

export const GENRES: readonly string[] = [
  ...["novel", "crime", "history", "poetry", "science", "travel", "children", "cooking"],
];
