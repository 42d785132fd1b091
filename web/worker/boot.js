// Starts an inference worker: takes the address of the glue and the code that the page has compiled, and hands
// everything else of that first message to the worker itself. All that follows is between it and the page.

self.addEventListener(
  "message",
  async ({ data }) => {
    // What fails until the code is here is the code's fault, and what fails then is not.
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
