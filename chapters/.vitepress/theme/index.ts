/**
 * The default theme without its web fonts, with our few rules of style, and a way to show slides.
 */
import type { Theme } from "vitepress";
import DefaultTheme from "vitepress/theme-without-fonts";
import { watchSlides } from "./slides.ts";
import "./style.css";

export default {
  extends: DefaultTheme,
  enhanceApp({ router }) {
    if (!import.meta.env.SSR) watchSlides(router);
  },
} satisfies Theme;
