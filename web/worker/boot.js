// Starts an inference worker: imports the glue, instantiates the code that the page has compiled, and hands the first
// message on. Everything after that is between the worker and the page.

self.addEventListener(
  "message",
  async ({ data }) => {
    // Until the glue is imported a failure is the code's, after that it is not.
    let fault = "code";
    try {
      const glue = await import(data.js);
      fault = "load";
      await glue.default({ module_or_path: data.module });
      glue.serve(data);
    } catch (cause) {
      const header = { type: "failed", frame: null, fault: { fault, why: String(cause) } };
      self.postMessage({ header: JSON.stringify(header) });
    }
  },
  { once: true },
);
