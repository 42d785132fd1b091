
// Appended to the worker's glue: what starts it, as web/worker/boot.js does for Mien's own page. A bundler carries
// single files along, so the worker of the package is one and imports nothing.
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
