/** VitePress' own theme, and what it lacks. */
import type { Theme } from "vitepress";
import DefaultTheme from "vitepress/theme-without-fonts";

const theme: Theme = {
  extends: DefaultTheme,
  enhanceApp({ router }) {
    if (import.meta.env.SSR) return;
    void import("./live/element.js");
    if (location.protocol !== "file:") return;
    // From a folder on disk a page cannot change its address, so every page is opened anew.
    router.onBeforeRouteChange = (to) => {
      if (!router.route.component) return true;
      location.href = to.replace(/\/(?=$|[?#])/, "/index.html");
      return false;
    };
  },
};

export default theme;
