/**
 * Slides on the whole screen: a button on pages of slides, the arrow keys, and Escape.
 *
 * Invariant: without it the page still reads from top to bottom.
 */
const PRESENTING = "presenting";

/** Puts the button on a page of slides, once the page is there. */
export function enterPage(): void {
  leave();
  addButton();
}

function slides(): HTMLElement[] {
  return [...document.querySelectorAll<HTMLElement>(".slide")];
}

function addButton(): void {
  const [first] = slides();
  if (first === undefined || document.querySelector(".present") !== null) return;
  const button = document.createElement("button");
  button.className = "present";
  button.type = "button";
  button.textContent = "Show as slides (arrow keys, Escape ends)";
  button.addEventListener("click", () => {
    document.documentElement.classList.add(PRESENTING);
    show(0);
  });
  first.before(button);
}

function leave(): void {
  document.documentElement.classList.remove(PRESENTING);
  for (const slide of slides()) slide.classList.remove("current");
}

function show(index: number): void {
  const all = slides();
  const place = Math.max(0, Math.min(all.length - 1, index));
  for (const [at, slide] of all.entries()) slide.classList.toggle("current", at === place);
}

/** The keys while slides are shown. */
export function onKey(event: KeyboardEvent): void {
  if (!document.documentElement.classList.contains(PRESENTING)) return;
  const at = slides().findIndex((slide) => slide.classList.contains("current"));
  if (event.key === "Escape") leave();
  else if (event.key === "ArrowRight" || event.key === "PageDown") show(at + 1);
  else if (event.key === "ArrowLeft" || event.key === "PageUp") show(at - 1);
  else return;
  event.preventDefault();
}
