// What stands around the worker in place of the page. Every job leaves `{ header, beside }` or `{ fault }`.
(() => {
  // As the page's reading of pictures has it.
  const LARGEST = 2048;
  let worker;
  let job;

  const bytes = async (name) => new Uint8Array(await (await fetch(`/pictures/${name}`, { cache: "no-store" })).arrayBuffer());

  function post(message, transferred) {
    return new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => reject(event.message ?? "the worker does not start");
      worker.postMessage(message, transferred);
    });
  }

  async function pixels(width, height) {
    return new ImageData(new Uint8ClampedArray((await bytes("pixels")).buffer), width, height);
  }

  // Mean and largest difference in red, green and blue.
  function apart(bitmap, ours) {
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    const theirs = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
    if (theirs.length !== ours.length) return null;
    let sum = 0;
    let most = 0;
    for (let at = 0; at < ours.length; at += 1) {
      if (at % 4 === 3) continue;
      const difference = Math.abs(ours[at] - theirs[at]);
      sum += difference;
      most = Math.max(most, difference);
    }
    return { mean: sum / ((ours.length / 4) * 3), most };
  }

  globalThis.mien = {
    async start(folder, header) {
      const text = await (await fetch(`${folder}index.html`)).text();
      const page = new DOMParser().parseFromString(text, "text/html");
      const files = page.querySelector("script[data-worker-boot]").dataset;
      const at = (name) => new URL(folder + files[name], location.href).href;
      const model = async (name) => (await fetch(at(name))).arrayBuffer();
      worker = new Worker(at("workerBoot"), { type: "module" });
      const [module, near, far, expression] = await Promise.all([
        WebAssembly.compileStreaming(fetch(at("workerWasm"))),
        model("modelNear"),
        model("modelFar"),
        model("modelExpression"),
      ]);
      const answer = await post({ header, js: at("workerJs"), module, near, far, expression }, []);
      return { header: answer.header };
    },

    async read(header, width, height) {
      const bitmap = await createImageBitmap(await pixels(width, height));
      const answer = await post({ header, bitmap }, [bitmap]);
      answer.bitmap?.close();
      return { header: answer.header };
    },

    async readFile(header, [width, height]) {
      const url = URL.createObjectURL(new Blob([await bytes("file")]));
      try {
        const image = new Image();
        await new Promise((resolve, reject) => {
          image.onload = resolve;
          image.onerror = () => reject("the picture cannot be decoded");
          image.src = url;
        });
        const { naturalWidth, naturalHeight } = image;
        const longer = Math.max(naturalWidth, naturalHeight);
        const options = {};
        if (longer > LARGEST) {
          options.resizeWidth = Math.max(1, Math.round((naturalWidth * LARGEST) / longer));
          options.resizeHeight = Math.max(1, Math.round((naturalHeight * LARGEST) / longer));
          options.resizeQuality = "high";
        }
        const bitmap = await createImageBitmap(image, options);
        const same = width > 0 && bitmap.width === width && bitmap.height === height;
        const difference = same ? apart(bitmap, await bytes("pixels")) : null;
        const answer = await post({ header, bitmap }, [bitmap]);
        answer.bitmap?.close();
        return { header: answer.header, beside: { width: naturalWidth, height: naturalHeight, apart: difference } };
      } finally {
        URL.revokeObjectURL(url);
      }
    },

    async time(header, width, height, rounds) {
      let bitmap = await createImageBitmap(await pixels(width, height));
      const ms = [];
      let answer;
      for (let round = 0; round < rounds; round += 1) {
        const begun = performance.now();
        answer = await post({ header, bitmap }, [bitmap]);
        ms.push(performance.now() - begun);
        bitmap = answer.bitmap;
      }
      return { header: answer.header, beside: { ms } };
    },

    async odd(header, make) {
      const bitmap = await make();
      const answer = await post({ header, bitmap }, bitmap instanceof ImageBitmap && bitmap.width > 0 ? [bitmap] : []);
      return { header: answer.header };
    },

    begin(work) {
      job = work().catch((cause) => ({ fault: String(cause?.message ?? cause) }));
      return true;
    },

    // An empty object while the job goes on.
    answer: () => Promise.race([job, new Promise((done) => setTimeout(done, 20000, {}))]),
  };
  return true;
})();
