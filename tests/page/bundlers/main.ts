// What an embedder writes, as `npm create vite` would start it. Typed strictly, bundled and run by the tests.
import init, { Mien, type MienRun, type MienSample } from "mien-sdk";

const page = globalThis as typeof globalThis & { samples: MienSample[]; fault?: string; run?: MienRun };
page.samples = [];

function element(): HTMLVideoElement {
  const video = document.querySelector("video");
  if (!video) throw new Error("no video");
  return video;
}

try {
  await init();
  const mien = await Mien.load({ onProgress: (loaded, total) => console.log(loaded / total) });
  page.run = await mien.start(element(), {
    onSample: (sample) => page.samples.push(sample),
    onFault: ({ final, code, message }) => {
      if (final && code !== "source_lost") page.fault = `${code}: ${message}`;
    },
  });
} catch (cause) {
  page.fault = cause instanceof Error ? String(cause.stack) : String(cause);
}
