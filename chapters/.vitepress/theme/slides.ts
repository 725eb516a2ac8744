/**
 * Slides on the whole screen: a button on pages of slides, the arrow keys, and Escape.
 *
 * Invariant: without it the page still reads from top to bottom.
 */
import type { Router } from "vitepress";

const PRESENTING = "presenting";

/** Puts the button on every page of slides that is opened. */
export function watchSlides(router: Router): void {
  const after = router.onAfterRouteChange;
  router.onAfterRouteChange = async (to) => {
    await after?.(to);
    leave();
    requestAnimationFrame(addButton);
  };
  addEventListener("load", addButton);
  addEventListener("keydown", onKey);
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

function onKey(event: KeyboardEvent): void {
  if (!document.documentElement.classList.contains(PRESENTING)) return;
  const at = slides().findIndex((slide) => slide.classList.contains("current"));
  if (event.key === "Escape") leave();
  else if (event.key === "ArrowRight" || event.key === "PageDown") show(at + 1);
  else if (event.key === "ArrowLeft" || event.key === "PageUp") show(at - 1);
  else return;
  event.preventDefault();
}
