// Loads scripts in the format of SystemJS: each registers what it needs, and a function that runs it.
globalThis.System = (() => {
  const registered = new Map();
  const loaded = new Map();

  const script = (url) =>
    new Promise((resolve, reject) => {
      const element = document.createElement("script");
      element.src = url;
      element.onload = () => resolve(registered.get(url));
      element.onerror = () => reject(new TypeError(`Failed to fetch ${url}`));
      document.head.append(element);
    });

  async function start(url) {
    const [needs, declare] = await script(url);
    const [exported, watchers] = [{ [Symbol.toStringTag]: "Module" }, []];
    const give = (name, value) => {
      Object.assign(exported, typeof name === "string" ? { [name]: value } : name);
      for (const tell of watchers) tell(exported);
      return value;
    };
    const { setters, execute } = declare(give, { import: (to) => load(to, url), meta: { url } });
    const modules = await Promise.all(needs.map((to) => open(to, url)));
    modules.forEach((module, k) => {
      // What is only run has none.
      const set = setters[k] ?? (() => {});
      module.watchers.push(set);
      set(module.exported);
    });
    await execute();
    return { exported, watchers };
  }

  function open(to, from) {
    const url = new URL(to, from).href;
    if (!loaded.has(url)) loaded.set(url, start(url));
    return loaded.get(url);
  }

  const load = (to, from = location.href) => open(to, from).then(({ exported }) => exported);
  const register = (needs, declare) => registered.set(document.currentScript.src, [needs, declare]);
  return { load, register };
})();
