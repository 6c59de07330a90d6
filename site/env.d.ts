declare module "*?worker&inline" {
  const create: new () => Worker;
  export default create;
}
declare module "*.css";
interface ImportMeta {
  /** Vite's: whether the code runs while pages are written. */
  readonly env: { readonly SSR: boolean };
}
