/**
 * The default theme without its web fonts, with our few rules of style, and a way to show slides.
 */
import { type Theme, useRoute } from "vitepress";
import DefaultTheme from "vitepress/theme-without-fonts";
import { nextTick, onMounted, onUnmounted, watch } from "vue";
import { enterPage, onKey } from "./slides.ts";
import "./style.css";

export default {
  extends: DefaultTheme,
  setup() {
    const route = useRoute();
    onMounted(() => {
      enterPage();
      addEventListener("keydown", onKey);
    });
    onUnmounted(() => removeEventListener("keydown", onKey));
    watch(
      () => route.path,
      () => void nextTick(enterPage),
    );
  },
} satisfies Theme;
