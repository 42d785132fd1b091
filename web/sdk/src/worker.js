
// Appended to the worker's glue: starts it, as web/worker/boot.js does for Mien's own page. Bundlers copy single files,
// so the package's worker is one file and imports nothing.
self.addEventListener(
  "message",
  async ({ data }) => {
    try {
      await __wbg_init({ module_or_path: data.module });
      serve(data);
    } catch (cause) {
      const header = { type: "failed", frame: null, fault: { fault: "load", why: String(cause) } };
      self.postMessage({ header: JSON.stringify(header) });
    }
  },
  { once: true },
);
